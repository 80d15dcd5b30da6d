package agentdesk_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"example.org/c3i/agentdesk"
)

// deskPhones answers for the switch: first not at all, then "not registered".
type deskPhones struct {
	asked atomic.Int32
	told  chan struct{}
}

func (p *deskPhones) WatchPhone(context.Context, string) (bool, error) {
	if p.asked.Add(1) == 1 {
		return false, errors.New("the switch is away")
	}
	close(p.told)
	return false, nil
}

func TestASIPPhoneThatIsNotThereIsNotOffered(t *testing.T) {
	phones := &deskPhones{told: make(chan struct{})}
	w := newWorld(t, func(o *agentdesk.Options) { o.SIPPhones = phones })
	w.add("h17")
	d := w.desk("h17")
	w.ready(d)
	w.call("020 7946 0017")
	if s := d.State(); s.Me.DeviceUp || len(s.Work) != 0 {
		t.Fatalf("an unregistered phone: device up %t, work %+v", s.Me.DeviceUp, s.Work)
	}
	select {
	case <-phones.told: // asked again after the error
	case <-w.ctx().Done():
		t.Fatal("the switch was not asked again")
	}
	w.server.PhoneChanged("PJSIP/somebody-else", true)
	w.server.PhoneChanged("PJSIP/h17", true)
	w.work(d, ringing)
	w.server.PhoneChanged("PJSIP/h17", false)
	must(t, d.Wait(w.ctx(), func(s agentdesk.Desk) bool { return !s.Me.DeviceUp && len(s.Work) == 0 }))
}
