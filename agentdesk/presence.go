package agentdesk

import (
	"context"
	"time"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// presence is what routing should know, or was told, of a handler's desk.
type presence struct {
	signedOn bool
	profile  string
	device   bool
	present  bool
}

// kickLocked starts telling routing what it does not know yet, unless that is
// already going on. One teller at a time keeps the events in order.
func (d *desk) kickLocked() {
	if d.reconciling || (d.nextLocked() == nil && !d.idleLocked()) {
		return
	}
	d.reconciling = d.s.spawn(d.reconcile)
}

// idleLocked tells that nobody uses the desk any more and routing knows.
func (d *desk) idleLocked() bool {
	return !d.want.signedOn && !d.told.signedOn && d.conn == nil && !d.retired
}

// nextLocked is the next event routing must hear, nil when it knows all.
func (d *desk) nextLocked() routing.Event {
	switch {
	case !d.want.signedOn && d.told.signedOn:
		return routing.AgentSignedOff{Agent: d.agent}
	case !d.want.signedOn:
		return nil
	case !d.told.signedOn || d.want.profile != d.told.profile:
		return routing.AgentSignedOn{Agent: d.agent, Profile: d.want.profile, DeviceUp: d.want.device}
	case d.want.present != d.told.present:
		return routing.AgentPresence{Agent: d.agent, Up: d.want.present}
	case d.want.device != d.told.device:
		return routing.DeviceChanged{Agent: d.agent, Up: d.want.device}
	}
	return nil
}

// toldLocked records that routing has heard ev.
func (d *desk) toldLocked(ev routing.Event) {
	switch e := ev.(type) {
	case routing.AgentSignedOn:
		d.refused = ""
		d.told = presence{signedOn: true, profile: e.Profile, device: e.DeviceUp, present: true}
	case routing.AgentSignedOff:
		d.told = presence{}
	case routing.AgentPresence:
		d.told.present = e.Up
	case routing.DeviceChanged:
		d.told.device = e.Up
	}
}

// reconcile tells routing until it knows what is wanted, trying again when it
// cannot be reached.
func (d *desk) reconcile() {
	pause := 50 * time.Millisecond
	for {
		d.mu.Lock()
		ev := d.nextLocked()
		if ev == nil {
			d.reconciling = false
			d.retired = d.idleLocked()
			retire := d.retired
			d.mu.Unlock()
			if retire {
				d.retire()
			}
			return
		}
		d.mu.Unlock()
		if _, leaves := ev.(routing.AgentSignedOff); leaves {
			d.handBack()
		}
		refused, err := d.s.submit(d.s.life, ev)
		if err != nil {
			d.s.log.Warn().Err(err).Str("agent", string(d.agent)).Str("event", ev.Kind()).Msg("routing could not be told of a desk; trying again")
			select {
			case <-d.s.life.Done():
				d.mu.Lock()
				d.reconciling = false
				d.mu.Unlock()
				return
			case <-time.After(pause):
			}
			pause = min(2*pause, 2*time.Second)
			continue
		}
		pause = 50 * time.Millisecond
		d.mu.Lock()
		d.toldLocked(ev)
		if refused != nil {
			d.s.log.Warn().Str("agent", string(d.agent)).Str("event", ev.Kind()).Str("code", refused.Code).Msg("routing refused a desk's event")
			if refused.Code == routing.RefusedAgent {
				d.told = presence{} // routing lost the handler: sign on again
			}
			if _, on := ev.(routing.AgentSignedOn); on {
				d.refused = refused.Code
				d.heardLocked()
				if d.live {
					d.sayRefusedLocked()
				}
			}
		}
		d.mu.Unlock()
	}
}

// sayRefusedLocked tells the handler that routing does not take them. A desk that
// opens later is told after its snapshot.
func (d *desk) sayRefusedLocked() {
	d.publishLocked(wireDelta{Notice: &Notice{Level: "error", Code: d.refused, Text: refusal(d.refused).Message}})
}

// heardLocked notes that routing has said something of the handler.
func (d *desk) heardLocked() {
	select {
	case <-d.known:
	default:
		close(d.known)
	}
}

// retire takes back a signed-off handler's phone credentials and forgets the
// desk. Whoever opens it again waits for that, so that the credentials withdrawn
// are never their new ones.
func (d *desk) retire() {
	defer close(d.forgotten)
	defer d.s.hub.drop(d)
	d.mu.Lock()
	withdraw := d.phoneUser != ""
	d.phoneUser, d.phoneTab = "", ""
	d.mu.Unlock()
	d.s.sip.closeAgent(d.agent, "")
	if !withdraw {
		return
	}
	ctx, cancel := context.WithTimeout(d.s.life, d.s.o.RequestTimeout)
	defer cancel()
	if err := d.s.o.Phones.Withdraw(ctx, d.agent); err != nil {
		d.s.log.Warn().Err(err).Str("agent", string(d.agent)).Msg("a browser phone's credentials could not be withdrawn; they expire by themselves")
	}
}

// adopt takes over a handler the engine has from before this server began.
func (d *desk) adopt(a routing.AgentChanged) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.want = presence{signedOn: true, device: a.DeviceUp, present: true}
	d.told = presence{signedOn: true, device: a.DeviceUp, present: a.Present}
	d.applyLocked(a)
}

// phoneRenew is how long before their end credentials are made anew, while no
// call is in hand.
const phoneRenew = 10 * contact.Minute

// provisionLocked gets browser-phone credentials when the desk needs some.
func (d *desk) provisionLocked() {
	if d.provisioning || d.s.o.Phones == nil || d.state.Phone.Kind != "browser" || !d.want.signedOn {
		return
	}
	due := d.state.Phone.ExpiresAt
	renew := !due.IsZero() && d.s.instant() >= due.Add(-phoneRenew) && len(d.state.Work) == 0
	if d.phoneUser != "" && d.phoneTab == d.tab && !renew {
		return
	}
	tab := d.tab
	d.provisioning = d.s.spawn(func() { d.provision(tab) })
}

// sayNoPhone tells the handler once that there are no credentials yet.
func (d *desk) sayNoPhone() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.phoneSaid || !d.live {
		return // a desk that opens later is told at the next failure
	}
	d.phoneSaid = true
	d.publishLocked(wireDelta{Notice: &Notice{
		Level: "error", Code: "phone_unavailable", Text: "Your browser phone cannot be connected just now. The system keeps trying.",
	}})
}

func (d *desk) provision(tab string) {
	ctx, cancel := context.WithTimeout(d.s.life, d.s.o.RequestTimeout)
	defer cancel()
	creds, err := d.s.o.Phones.Provision(ctx, d.agent)
	if err != nil {
		d.s.log.Warn().Err(err).Str("agent", string(d.agent)).Msg("no credentials for a browser phone; trying again")
		d.sayNoPhone()
		select { // the next sweep after this pause tries again
		case <-time.After(2 * time.Second):
		case <-d.s.life.Done():
		}
	}
	d.mu.Lock()
	d.provisioning = false
	if err != nil {
		d.mu.Unlock()
		return
	}
	if d.state.Phone.Kind != "browser" {
		d.mu.Unlock()
		return
	}
	d.phoneUser, d.phoneTab, d.phoneSaid = creds.User, tab, false
	d.state.Phone = PhoneInfo{Kind: "browser", URI: creds.URI, User: creds.User, Password: creds.Password, Path: sipPath(tab), ExpiresAt: creds.ExpiresAt}
	phone := d.state.Phone
	d.publishLocked(wireDelta{Phone: &phone})
	d.provisionLocked() // the desk may have moved to another tab meanwhile
	d.mu.Unlock()
	d.s.sip.closeAgent(d.agent, tab)
}
