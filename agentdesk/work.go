package agentdesk

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/routing"
)

// newItem is a contact in hand of which nothing more is known yet.
func (s *Server) newItem(w routing.Work) WorkItem {
	return WorkItem{Work: w, QueueLabel: queueLabel(s.plan(), w.Queue), Answers: []LabelledAnswer{}, People: []Person{}, History: []HistoryEntry{}}
}

func queueLabel(plan *routing.Plan, id routing.QueueID) string {
	for _, q := range plan.Queues {
		if q.ID == id {
			return q.Label
		}
	}
	return string(id)
}

// answers puts IVR choices into words.
func (s *Server) answers(f contact.Facts) []LabelledAnswer {
	if s.o.Labels != nil {
		if list := s.o.Labels(f); list != nil {
			return list
		}
		return []LabelledAnswer{}
	}
	list := make([]LabelledAnswer, 0, len(f.Answers))
	for q, a := range f.Answers {
		list = append(list, LabelledAnswer{q, a})
	}
	slices.SortFunc(list, func(a, b LabelledAnswer) int { return cmp.Compare(a.Question, b.Question) })
	return list
}

// popRetry is the pause after a reading of the CRM failed, while the contact is
// still in hand.
const popRetry = time.Second

const popFailed = "What is known of the caller cannot be read just now. The system keeps trying; the call is not affected."

// popLocked starts reading the CRM for a contact in hand. A reading already
// going on is ended: the newer one sees more.
func (d *desk) popLocked(id contact.ID, facts contact.Facts) {
	if stop := d.pops[id]; stop != nil {
		stop()
	}
	ctx, stop := context.WithCancel(d.s.life)
	d.pops[id] = stop
	began := d.s.now()
	joined := 0
	if i := d.knowsLocked(id); i >= 0 {
		joined = d.state.Work[i].Joined // in the CRM before routing counted them
	}
	if !d.s.spawn(func() { d.pop(ctx, id, facts, joined, began) }) {
		stop()
		delete(d.pops, id)
	}
}

// refresh reads the CRM again after the desk changed something there.
func (d *desk) refresh(id contact.ID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if i := d.knowsLocked(id); i >= 0 {
		d.popLocked(id, d.state.Work[i].Facts)
	}
}

// pop reads until it succeeds, the contact leaves the desk or a newer reading
// begins. The first failure is shown.
func (d *desk) pop(ctx context.Context, id contact.ID, facts contact.Facts, joined int, began time.Time) {
	for {
		as := d.actingHere(ctx)
		pop, err := d.s.readPop(as, id, facts)
		if ctx.Err() != nil {
			return
		}
		var names map[string]string
		if err == nil {
			names = d.s.names.get(ctx, d.s)
		}
		d.mu.Lock()
		i := d.knowsLocked(id)
		if ctx.Err() != nil || i < 0 {
			d.mu.Unlock()
			return
		}
		item := &d.state.Work[i]
		if err == nil {
			d.s.showPop(as, item, pop, names)
			if pop.written != nil {
				item.Written.Seen = joined
			}
			d.publishWorkLocked()
			d.pops[id]()
			delete(d.pops, id)
			d.mu.Unlock()
			d.s.metrics.pop.Observe(d.s.now().Sub(began).Seconds())
			return
		}
		d.s.metrics.popFailures.Inc()
		if item.PopError == "" {
			d.s.log.Warn().Err(err).Str("contact", string(id)).Msg("the CRM could not be read for a desk; trying again")
			item.PopError = popFailed
			d.publishWorkLocked()
		}
		d.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-time.After(popRetry):
		}
	}
}

// known is what one reading of the CRM brought for a work item.
type known struct {
	crm.Pop
	written *writtenPop // nil for a call
	report  *crm.Report
	reports []crm.Report
}

// readPop reads the CRM once, within the time allowed. Without facts (a contact
// taken over from before a restart) the record gives them first.
func (s *Server) readPop(ctx context.Context, id contact.ID, facts contact.Facts) (known, error) {
	ctx, cancel := context.WithTimeout(ctx, s.o.PopTimeout)
	defer cancel()
	if facts.CLI == "" {
		rec, err := s.o.Records.Record(ctx, id)
		if err != nil {
			return known{}, err
		}
		facts = rec.Facts
	}
	pop, err := s.o.Records.Pop(ctx, id, facts)
	if err == nil {
		err = s.reopenPeople(ctx, pop.People)
	}
	k := known{Pop: pop}
	if err == nil && isWritten(pop.Record.Channel) {
		k.written, err = s.readWritten(ctx, pop)
	}
	if err == nil {
		k.report, k.reports, err = s.readReports(ctx, pop)
	}
	return k, err
}

// reopenPeople reads in full those restricted people for whom a reason was given.
func (s *Server) reopenPeople(ctx context.Context, people []crm.Person) error {
	for i, p := range people {
		if !p.Restricted {
			continue
		}
		if as, open := s.reopened(ctx, personObject(string(p.ID))); open {
			whole, err := s.o.Records.Person(as, p.ID)
			if err != nil {
				return err
			}
			people[i] = whole
		}
	}
	return nil
}

// reopenReports is the same for reports.
func (s *Server) reopenReports(ctx context.Context, reports []crm.Report) error {
	for i, r := range reports {
		if !r.Restricted {
			continue
		}
		if as, open := s.reopened(ctx, reportObject(string(r.ID))); open {
			whole, err := s.o.Reports.Report(as, r.ID)
			if err != nil {
				return err
			}
			reports[i] = whole
		}
	}
	return nil
}

// actingHere names the desk's handler as the one who acts in ctx.
func (d *desk) actingHere(ctx context.Context) context.Context {
	d.mu.Lock()
	defer d.mu.Unlock()
	return acting(ctx, d.user, d.session)
}

// showPop puts what the CRM knows into a work item.
func (s *Server) showPop(ctx context.Context, item *WorkItem, pop known, names map[string]string) {
	rec := pop.Record
	item.PopError = ""
	item.Caller = rec.Caller
	if item.Arrival.IsZero() {
		item.Arrival = rec.Arrival
	}
	if item.Facts.CLI == "" {
		item.Facts = rec.Facts
		item.Answers = s.answers(rec.Facts)
	}
	if rec.Note.Revision >= item.Note.Revision {
		item.Note = Note{Text: rec.Note.Text, Revision: rec.Note.Revision, SavedAt: rec.Note.SavedAt}
	}
	item.Outcome = cmp.Or(rec.Outcome.Code, item.Outcome)
	item.People = make([]Person, 0, len(pop.People))
	people := map[contact.PersonID]string{}
	for _, p := range pop.People {
		shown := s.seenAs(ctx, p)
		shown.Attached = p.ID != "" && p.ID == rec.Person
		people[p.ID] = shown.Name
		item.People = append(item.People, shown)
	}
	slices.SortStableFunc(item.People, func(a, b Person) int {
		switch {
		case a.Attached == b.Attached:
			return 0
		case a.Attached:
			return -1
		}
		return 1
	})
	item.History = s.entries(pop.History, people, names)
	if pop.written != nil {
		s.showWritten(item, rec, pop.written, names)
	}
	item.Report, item.Reports = nil, nil
	if pop.report != nil {
		own := s.summaries(ctx, []crm.Report{*pop.report})[0]
		item.Report = &own
	}
	if list := s.summaries(ctx, pop.reports); len(list) > 0 {
		item.Reports = list
	}
}

// entries puts records into words. people and names give the names of persons
// and handlers.
func (s *Server) entries(records []crm.Record, people map[contact.PersonID]string, names map[string]string) []HistoryEntry {
	plan := s.plan()
	list := make([]HistoryEntry, 0, len(records))
	for _, r := range records {
		e := HistoryEntry{
			Contact: r.ID, Channel: r.Channel, Arrival: r.Arrival, QueueLabel: queueLabel(plan, routing.QueueID(r.Queue)),
			Handler: cmp.Or(names[r.Handler], r.Handler), Ending: r.Ending, Outcome: r.Outcome.Code, Note: r.Note.Text, Person: people[r.Person],
		}
		if e.Outcome != "" {
			e.OutcomeLabel = outcomeLabel(plan, e.Outcome)
		}
		if r.Outcome.Note != "" {
			if e.Note != "" {
				e.Note += "\n\n"
			}
			e.Note += r.Outcome.Note
		}
		list = append(list, e)
	}
	return list
}

func outcomeLabel(plan *routing.Plan, code string) string {
	for _, c := range plan.Outcomes {
		if c.Code == code {
			return c.Label
		}
	}
	return code
}

// nameCache keeps sign-on name → display name, read at most every half minute.
type nameCache struct {
	mu    sync.Mutex
	at    time.Time
	names map[string]string
}

func (c *nameCache) get(ctx context.Context, s *Server) map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := s.now(); c.names == nil || now.Sub(c.at) >= 30*time.Second {
		ctx, cancel := context.WithTimeout(ctx, s.o.PopTimeout)
		defer cancel()
		if users, err := s.users.List(ctx); err == nil {
			names := make(map[string]string, len(users))
			for _, u := range users {
				names[u.Name] = u.Display
			}
			c.names = names
		}
		c.at = now // a failure waits too; sign-on names are shown meanwhile
	}
	return c.names
}
