package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"example.org/c3i/agentdesk"
	"example.org/c3i/agentdesk/deskclient"
	"example.org/c3i/contact"
	"example.org/c3i/e2e/harness"
)

// unfold opens every part of the report on screen.
const unfold = `(() => { for (const d of document.querySelectorAll('details.app-section')) d.open = true; return true; })()`

// follow opens a report on the tracking page.
func follow(t *testing.T, tab *harness.Tab, s *harness.System, reference, secret string) {
	t.Helper()
	tab.Go(s.URL + "/track")
	tab.Evaluate(fmt.Sprintf(`(() => { const f = document.querySelector('main form'); f.reference.value = %q; f.secret.value = %q; f.querySelector('button').click(); return true; })()`, reference, secret), nil)
}

// Somebody rings, writes an e-mail and reports on the web: one person, one
// timeline; and they follow their report.
func TestOnePersonOnEveryChannelAndTheirTracking(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	desk := deskTab(t, s, "handler1")

	call := ring(t, s, "07700900123", "11")
	must(t, "caller's tone", call.SendTone(callerTone))
	desk.WaitText("07700 900123")
	desk.Press("Answer")
	desk.WaitText("Talking")
	desk.Alt("p")
	desk.Fill("Name", "Sam Sam")
	desk.Fill("E-mail addresses", "sam@example.org")
	desk.Screenshot("desk-new-person.png")
	desk.Press("Save and record the contact for them")
	desk.WaitText("This caller")
	desk.Press("Hang up")
	desk.WaitText("Wrap-up")
	desk.Choose("Outcome", "Advice given")
	desk.Press("Finish")
	desk.WaitText("You are ready")

	post(t, s.SMTP, letter{from: "sam@example.org", name: "Sam Sam", id: "tonight@example.org", subject: "A photograph of the window", text: "As I said on the phone.", photo: true})
	desk.WaitText("A photograph of the window")
	desk.Alt("a")
	desk.WaitText("The writer")
	desk.WaitText("Advice given") // the call of before
	desk.Choose("Outcome", "Answered in writing")
	desk.Press("Finish")
	desk.WaitText("You are ready")

	public := harness.Chromium(t, 0).Open("public", s.URL+"/report")
	reference, secret := reportOnTheWeb(t, public, "web-one-person", false)
	desk.WaitButton("Take it")
	desk.Alt("a")
	desk.WaitText("The writer")
	desk.Press("Show all")
	desk.WaitText("Everything that passed")
	desk.WaitText("Wrote an e-mail: A photograph of the window")
	desk.WaitText("Wrote on the web")
	looks(t, desk, "desk-timeline")

	web := s.Ledger().On(contact.Web)
	if len(web) != 1 || web[0].Facts.Person == "" {
		t.Fatalf("the web contact is %+v", web)
	}
	ctx := limit(t, time.Minute)
	session, err := deskclient.SignOn(ctx, s.URL, "handler1", passphrase)
	must(t, "sign on", err)
	t.Cleanup(session.Close)
	var page agentdesk.TimelinePage
	must(t, "read the timeline", session.Call(ctx, "GET", "/api/people/"+string(web[0].Facts.Person)+"/timeline", nil, &page))
	contacts, reports := map[contact.Channel]int{}, 0
	for _, item := range page.Timeline {
		switch {
		case item.Contact != nil:
			contacts[item.Contact.Channel]++
		case item.Report != nil:
			reports++
		}
	}
	for _, ch := range contact.Channels() {
		if contacts[ch] != 1 {
			t.Errorf("the timeline has %v, want one contact of each channel", contacts)
		}
	}
	if reports != 1 {
		t.Errorf("the timeline has %d reports", reports)
	}

	// A wrong secret tells nothing; the right one opens the report.
	follow(t, public, s, reference, "WRONGSECRET1")
	public.WaitText("We cannot open a report with that reference and secret")
	if strings.Contains(public.Text(), "Where it stands") {
		t.Error("a wrong secret shows the report")
	}
	follow(t, public, s, reference, secret)
	public.WaitText("Where it stands")
	public.WaitText("We have your report")

	// What the desk writes appears there.
	desk.Alt("g")
	desk.WaitText("Updates and tracking")
	desk.Evaluate(unfold, nil)
	looks(t, desk, "desk-web-report")
	desk.Choose("Status", "Open")
	desk.Alt("s")
	desk.WaitNoText("Changed, not saved yet")
	desk.Fill("Tell those who follow it", "An officer will visit you on Friday.")
	desk.Press("Publish the update")
	desk.Until("publish it", `[...document.querySelectorAll('.app-row')].some(r => r.textContent.includes('An officer will visit you on Friday.'))`)
	public.Go(s.URL + "/track/report")
	public.WaitText("An officer will visit you on Friday.")
	public.WaitText("Being dealt with")
	public.Screenshot("web-follow-update.png")

	// What they add is a contact of the report, and comes to the desk.
	public.Evaluate(`(() => { document.getElementById('add').open = true; const e = document.getElementById('f-text'); e.value = 'A neighbour saw who did it.'; e.form.querySelector('button').click(); return true; })()`, nil)
	public.WaitText("What you added was received")
	desk.WaitButton("Take it")
	desk.Alt("a")
	desk.WaitText("A neighbour saw who did it.")
	web = s.Ledger().On(contact.Web)
	if len(web) != 2 || web[1].Facts.Answers["web"] != "add" {
		t.Fatalf("what was added came as %+v", web)
	}
	of := func(id contact.ID) string { return s.Redis().HGet(ctx, "{c:"+string(id)+"}", "report").Val() }
	if of(web[0].Contact) == "" || of(web[0].Contact) != of(web[1].Contact) {
		t.Errorf("the reports are %q and %q", of(web[0].Contact), of(web[1].Contact))
	}

	desk.Alt("l")
	desk.Fill("Look up", "sam@example.org")
	desk.WaitText("E-mail address")
	desk.Until("find Sam", `[...document.querySelectorAll('.app-hit')].some(h => h.textContent.includes('Sam'))`)
	looks(t, desk, "desk-search")
}
