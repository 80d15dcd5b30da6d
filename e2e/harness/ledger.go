package harness

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"example.org/c3i/contact"
	"example.org/c3i/crm/redistest"
	"example.org/c3i/routing"
	"example.org/c3i/routing/journal"
	"example.org/c3i/routing/plan"
)

// Ledger is what the journal says of the contacts that came to routing.
type Ledger struct {
	// Arrivals are those taken in, in order; Endings tell how those that ended did,
	// each ending there was; Open are those the engine still has, by phase.
	Arrivals []routing.ContactArrived
	Endings  map[contact.ID][]contact.Ending
	Open     map[contact.ID]routing.Phase
}

// Uneven lists what does not add up, in words: a contact that came and is neither
// open nor ended, is both, ended twice or came twice, or ended and never came.
func (l Ledger) Uneven() []string {
	var out []string
	came := map[contact.ID]int{}
	for _, a := range l.Arrivals {
		came[a.Contact]++
	}
	for id, n := range came {
		_, open := l.Open[id]
		ended := len(l.Endings[id])
		if n != 1 || ended > 1 || open == (ended == 1) {
			out = append(out, fmt.Sprintf("contact %s came %d times and ended %d times %v; open: %t", id, n, ended, l.Endings[id], open))
		}
	}
	for id := range l.Endings {
		if came[id] == 0 {
			out = append(out, fmt.Sprintf("contact %s ended and never came", id))
		}
	}
	slices.Sort(out)
	return out
}

// On lists the arrivals on a channel.
func (l Ledger) On(ch contact.Channel) []routing.ContactArrived {
	var out []routing.ContactArrived
	for _, a := range l.Arrivals {
		if a.Channel == ch {
			out = append(out, a)
		}
	}
	return out
}

// Ledger reads the journal so far.
func (s *System) Ledger() Ledger {
	s.t.Helper()
	l, err := readLedger(s.Redis())
	if err != nil {
		s.t.Fatalf("read the journal: %v", err)
	}
	return l
}

func readLedger(client *redis.Client) (Ledger, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	l := Ledger{Endings: map[contact.ID][]contact.Ending{}, Open: map[contact.ID]routing.Phase{}}
	engine := routing.New()
	err := journal.NewRedis(client, "journal", journal.Retention{}).Read(ctx, 1, func(r journal.Record) error {
		ev, err := journal.Decode(r.Kind, r.Event, plan.Load)
		if err != nil {
			return err
		}
		arrived, came := ev.(routing.ContactArrived)
		for _, a := range engine.Step(r.At, ev) {
			switch a := a.(type) {
			case routing.Ended:
				l.Endings[a.Contact] = append(l.Endings[a.Contact], a.Ending)
			case routing.Refused:
				came = came && a.Contact != arrived.Contact
			}
		}
		if came {
			l.Arrivals = append(l.Arrivals, arrived)
		}
		return nil
	})
	for _, a := range l.Arrivals {
		// In wrap-up a contact has ended already.
		if c, here := engine.ContactState(a.Contact); here && c.Phase != routing.PhaseWrapUp {
			l.Open[a.Contact] = c.Phase
		}
	}
	return l, err
}

// checkLedger fails the test when the journal is not even, or when the records do
// not hold every contact of it with its ending. A system that is not running has
// nothing to be asked.
func (s *System) checkLedger() {
	s.t.Helper()
	if s.cmd == nil {
		return
	}
	client := redis.NewClient(redistest.Options(filepath.Join(s.Dir, "redis", "redis.sock")))
	defer func() { _ = client.Close() }()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := client.Ping(ctx).Err(); err != nil {
		s.t.Logf("the ledger cannot be read, its Redis is away: %v", err)
		return
	}
	l, err := readLedger(client)
	if err != nil {
		s.t.Errorf("read the journal: %v", err)
		return
	}
	if uneven := l.Uneven(); len(uneven) > 0 {
		s.t.Errorf("arrivals are not endings and open contacts:\n%s", strings.Join(uneven, "\n"))
	}
	// The records follow the journal.
	var behind []string
	for {
		behind = behind[:0]
		for _, a := range l.Arrivals {
			want := ""
			if e := l.Endings[a.Contact]; len(e) > 0 {
				want = string(e[len(e)-1])
			}
			got, err := client.HMGet(ctx, "{c:"+string(a.Contact)+"}", "channel", "ending").Result()
			if err != nil {
				s.t.Errorf("read the records: %v", err)
				return
			}
			if got[0] != string(a.Channel) || want != "" && got[1] != want {
				behind = append(behind, fmt.Sprintf("contact %s is recorded as %v, the journal says %s %s", a.Contact, got, a.Channel, want))
			}
		}
		if len(behind) == 0 {
			s.t.Logf("ledger: %d arrivals are %d endings and %d open", len(l.Arrivals), len(l.Endings), len(l.Open))
			return
		}
		select {
		case <-ctx.Done():
			s.t.Errorf("the records do not follow the journal:\n%s", strings.Join(behind, "\n"))
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
}
