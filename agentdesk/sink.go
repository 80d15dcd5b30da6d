package agentdesk

import (
	"context"
	"reflect"
	"slices"

	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/routing"
)

// Do shows one action of the engine on the desks it concerns, and keeps endings
// for the CRM. It never waits for a desk or the CRM, and never fails; actions of
// one engine must be given in order, from one goroutine.
func (s *Server) Do(_ context.Context, a routing.Action) error {
	switch a := a.(type) {
	case routing.AgentChanged:
		s.hub.noteAgent(a)
		if d := s.hub.find(a.Agent); d != nil {
			d.agentChanged(a)
		}
	case routing.Offer:
		s.hub.queuesDirty.Store(true)
		if d := s.hub.find(a.Agent); d != nil {
			d.offered(a)
		}
	case routing.Retract:
		s.hub.queuesDirty.Store(true)
		if d := s.hub.find(a.Agent); d != nil {
			d.retracted(a)
		}
	case routing.Closed:
		if d := s.hub.find(a.Agent); d != nil {
			d.closed(a)
		}
	case routing.Ended:
		s.hub.queuesDirty.Store(true)
		s.history.add(crm.Ending{
			ID: a.Contact, Queue: string(a.Queue), Handler: string(a.Agent), Answered: a.Answered, At: a.At, Ending: a.Ending,
		})
	case routing.Queued, routing.QueueClosed, routing.Connect, routing.Forwarded:
		s.hub.queuesDirty.Store(true)
	case routing.Alert:
		s.alert(a)
	case routing.SurgeChanged:
		s.surgeChanged(a)
	}
	return nil
}

// alert keeps an alert and shows it to those who may act on it.
func (s *Server) alert(a routing.Alert) {
	s.alerts.add(a, s.instant())
	s.notify(Notice{Level: "warning", Code: a.Code, Text: a.Text}, MaySeeAlerts)
}

// agentChanged takes over what the engine says of the handler.
func (d *desk) agentChanged(a routing.AgentChanged) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.applyLocked(a)
}

func (d *desk) applyLocked(a routing.AgentChanged) {
	me := d.state.Me
	me.State, me.Reason, me.Next, me.NextReason = a.State, a.Reason, a.Next, a.NextReason
	me.Since, me.Until, me.DeviceUp = a.Since, a.Until, a.DeviceUp
	delta := wireDelta{}
	if d.setWorkLocked(a.Work) {
		delta.Work = &d.state.Work
	}
	me.Capacity = d.capacityLocked()
	if !reflect.DeepEqual(me, d.state.Me) {
		d.state.Me = me
		delta.Me = &me
	}
	if delta.Me != nil || delta.Work != nil {
		d.publishLocked(delta)
	}
	d.heardLocked()
}

// setWorkLocked makes the desk's work what the engine lists, keeping what is
// known of each contact. It reports whether anything changed.
func (d *desk) setWorkLocked(work []routing.Work) bool {
	changed := len(work) != len(d.state.Work)
	var read []contact.ID // new, or joined by a message
	next := make([]WorkItem, 0, len(work))
	for i, w := range work {
		at := d.knowsLocked(w.Contact)
		if at < 0 {
			next = append(next, d.s.newItem(w))
			read = append(read, w.Contact)
			changed = true
			continue
		}
		item := d.state.Work[at]
		if item.Joined != w.Joined {
			read = append(read, w.Contact)
		}
		if item.Work != w || at != i {
			changed = true
		}
		item.Work = w
		next = append(next, item)
	}
	for _, old := range d.state.Work {
		if !slices.ContainsFunc(work, func(w routing.Work) bool { return w.Contact == old.Contact }) {
			d.leaveLocked(old)
		}
	}
	d.state.Work = next
	for _, id := range read {
		d.popLocked(id, next[d.knowsLocked(id)].Facts)
	}
	return changed
}

// leaveLocked remembers a contact that left the desk.
func (d *desk) leaveLocked(w WorkItem) {
	if stop := d.pops[w.Contact]; stop != nil {
		stop()
		delete(d.pops, w.Contact)
	}
	if m := d.spam[w.Contact]; m != nil {
		m.end.Stop()
		delete(d.spam, w.Contact)
	}
	if w.Phase == routing.PhaseRinging || w.Phase == routing.PhaseConnecting || w.Phase == routing.PhaseCalling {
		return
	}
	d.recent = append(d.recent, w.Contact)
	if len(d.recent) > recentKept {
		d.recent = slices.Delete(d.recent, 0, len(d.recent)-recentKept)
	}
}

// offered shows the ringing contact at once; the CRM's part follows.
func (d *desk) offered(o routing.Offer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	w := routing.Work{Contact: o.Contact, Channel: o.Channel, Queue: o.Queue, Offer: o.Offer, Phase: routing.PhaseRinging, Since: o.Made, Until: o.Deadline, Callback: o.Callback, Due: o.Due}
	i := d.knowsLocked(o.Contact)
	if i < 0 {
		d.state.Work = append(d.state.Work, d.s.newItem(w))
		i = len(d.state.Work) - 1
	}
	item := &d.state.Work[i]
	item.Work = w
	item.Arrival, item.Facts = o.Arrival, o.Facts
	item.Answers = d.s.answers(o.Facts)
	item.WhyData = o.Why
	item.Why = whySentence(o.Why, d.s.plan())
	d.publishWorkLocked()
	d.showCapacityLocked()
	d.popLocked(o.Contact, o.Facts)
}

func (d *desk) retracted(r routing.Retract) {
	d.mu.Lock()
	defer d.mu.Unlock()
	i := d.knowsLocked(r.Contact)
	if i < 0 || d.state.Work[i].Offer != r.Offer {
		return
	}
	d.leaveLocked(d.state.Work[i])
	d.state.Work = slices.Delete(slices.Clone(d.state.Work), i, i+1)
	delta := wireDelta{Work: &d.state.Work}
	if text, say := retractions[r.Cause]; say {
		delta.Notice = &Notice{Level: "info", Code: "offer_" + string(r.Cause), Text: text}
	}
	d.publishLocked(delta)
	d.showCapacityLocked()
}

// retractions say why a ringing contact went away, where the handler did not do
// it themselves.
var retractions = map[routing.RetractCause]string{
	routing.RetractNoAnswer:   "The contact was not taken in time and went to somebody else.",
	routing.RetractFailed:     "Your phone could not be rung. The call went to somebody else.",
	routing.RetractCallerGone: "The caller hung up, or the contact was ended.",
	routing.RetractNotReached: "The caller could not be reached.",
	routing.RetractPlan:       "The routing plan changed and the contact went to another queue.",
}

func (d *desk) closed(c routing.Closed) {
	if !c.TimedOut || c.Outcome != "" {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if i := d.knowsLocked(c.Contact); i >= 0 && d.state.Work[i].Outcome != "" {
		return // the outcome was saved as the limit came
	}
	d.publishLocked(wireDelta{Notice: &Notice{
		Level: "warning", Code: "wrap_up_timed_out",
		Text: "Wrap-up time ran out before an outcome was given. You can still save one.",
	}})
}
