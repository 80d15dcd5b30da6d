package web_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"

	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/crm/audit"
	"example.org/c3i/intake/inbox"
	"example.org/c3i/intake/web"
)

const jpeg = "\xff\xd8\xff\xe0 a photograph with what the camera wrote into it"

// ready fills a form up to the page that shows all answers.
func (w *world) ready(lang string, choose map[string]string) *browser {
	w.t.Helper()
	b := w.browser(lang)
	b.begin()
	b.fill("check", choose)
	w.clock.pass(5 * time.Minute)
	return b
}

func (b *browser) send() {
	b.w.t.Helper()
	b.post("/report/check", b.hidden("/report/check"))
}

func (b *browser) class(name string) string {
	b.w.t.Helper()
	for _, n := range find(b.doc, func(n *html.Node) bool { return attr(n, "class") == name }) {
		return textOf(n)
	}
	b.w.t.Fatalf("%s has no %s:\n%s", b.url.Path, name, textOf(b.doc))
	return ""
}

func TestASentReportBecomesAReportAPersonAContactAndAMessage(t *testing.T) {
	w := newWorld(t)
	b := w.browser("pl")
	b.begin()
	b.fill("files", map[string]string{"category": "bicycle"})
	b.postFiles("/report/files", url.Values{"do": {"upload"}}, upload{`C:\fake\..\..\etc\rower <1>.jpg`, jpeg})
	b.says("rower _1_.jpg")
	b.fill("check", nil)
	w.clock.pass(5 * time.Minute)
	b.send()
	b.at("/report/sent")
	reference, secret := b.class("reference"), b.class("secret-word")
	w.work()

	ctx := context.Background()
	r, err := w.store.ReportByReference(ctx, reference)
	must(t, err)
	if r.Reference != reference || r.Category != "bicycle" || r.Method != "web_form" || r.Language != "pl" || len(r.Contacts) != 1 {
		t.Errorf("the report: %+v", r)
	}
	if len(r.Property) != 1 || r.Property[0].UniqueType != "frame" || r.Property[0].ValuePence != 125050 {
		t.Errorf("the bicycle: %+v", r.Property)
	}
	if len(r.Attachments) != 1 || r.Attachments[0].Name != "rower _1_.jpg" || r.Attachments[0].Detected != "image/jpeg" {
		t.Fatalf("the photograph: %+v", r.Attachments)
	}
	f, err := w.blobs.Open(ctx, r.Attachments[0].Blob)
	must(t, err)
	defer f.Close()
	if got, err := io.ReadAll(f); err != nil || string(got) != jpeg {
		t.Errorf("the photograph is not as it was taken: %q %v", got, err)
	}
	person, err := w.store.Person(ctx, r.Parties[0].Person)
	must(t, err)
	if person.Surname != "Zoë O'Neill" || person.DateOfBirth != "1980-03-26" || !slices.Contains(person.Emails, "sam@example.org") || len(person.Numbers) != 1 {
		t.Errorf("the person: %+v", person)
	}
	messages, err := w.store.MessagesOf(ctx, r.Contacts[0])
	must(t, err)
	if len(messages) != 1 || !strings.Contains(messages[0].Text, "Frame number") {
		t.Errorf("the messages: %+v", messages)
	}
	for _, a := range w.router.arrived {
		if a.Contact != r.Contacts[0] || a.Facts.Answers["category"] != "bicycle" || a.Facts.Person != person.ID || a.Facts.Language != "pl" {
			t.Errorf("handed to routing: %+v", a)
		}
	}
	if len(w.mail.sent) != 1 {
		t.Fatalf("%d mails", len(w.mail.sent))
	}
	for _, m := range w.mail.sent {
		if !strings.Contains(m.Text, reference) || strings.Contains(m.Text, secret) || m.Language != "pl" || strings.Contains(m.Text+m.Subject, "[") {
			t.Errorf("the receipt: %+v", m)
		}
	}
	if _, _, err := w.store.Track(ctx, reference, secret); err != nil {
		t.Errorf("the secret that was shown does not open the report: %v", err)
	}
}

func TestSendingTwiceFromTwoTabsAndAfterGoingBackMakesOneReport(t *testing.T) {
	w := newWorld(t)
	b := w.ready("en", nil)
	form := b.hidden("/report/check")
	tab := &browser{w: w, client: b.client, lang: "en"}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { (&browser{w: w, client: b.client, lang: "en"}).post("/report/check", form) })
	}
	wg.Wait()
	tab.get("/report/sent")
	first := tab.class("reference")
	b.post("/report/check", form)
	b.at("/report/sent")
	if again := b.class("reference"); again != first {
		t.Errorf("references %s and %s", first, again)
	}
	// Back to a page of the form, and a page left open in another tab.
	b.get("/report/what")
	b.at("/report/sent")
	tab.post("/report/what", url.Values{"what": {"other words"}})
	tab.at("/report/sent")
	if items := w.accepted(); len(items) != 1 {
		t.Errorf("%d items were accepted", len(items))
	}
}

func TestTwoTabsAnsweringAtOnceLoseNothing(t *testing.T) {
	w := newWorld(t)
	b := w.browser("en")
	b.begin()
	b.fill("when", nil)
	var wg sync.WaitGroup
	for step, v := range map[string]url.Values{"what": {"what": {"changed here"}}, "involved": {"involved": {"witness"}}, "category": {"category": {"asb"}}} {
		wg.Go(func() { (&browser{w: w, client: b.client, lang: "en"}).post("/report/"+step, v) })
	}
	wg.Wait()
	for step, text := range map[string]string{"what": "changed here", "involved": `value="witness" checked`, "category": `value="asb" checked`} {
		if b.get("/report/" + step); !strings.Contains(b.body, text) {
			t.Errorf("%s lost its answer", step)
		}
	}
}

func TestAnExpiredReportGivesBackWhatWasTyped(t *testing.T) {
	w := newWorld(t)
	b := w.browser("en")
	b.post("/report/what", url.Values{"what": {"my long story <script>alert(1)</script>"}})
	if b.status != http.StatusForbidden || !strings.Contains(b.body, "my long story &lt;script&gt;") {
		t.Errorf("%d: %s", b.status, b.body)
	}
	b.get("/report/what")
	b.at("/report")
	b.get("/report/sent")
	b.at("/report")
	b.post("/report/check", nil)
	b.says("no longer open")
}

func TestWhatIsTypedIsSealedInRedis(t *testing.T) {
	w := newWorld(t)
	b := w.browser("en")
	b.begin()
	b.fill("what", nil)
	b.answer("what", url.Values{"what": {"unmistakable words"}})
	keys, err := w.redis.Keys(context.Background(), "*").Result()
	must(t, err)
	for _, k := range keys {
		dump, err := w.redis.Dump(context.Background(), k).Result()
		must(t, err)
		if strings.Contains(dump, "unmistakable") {
			t.Errorf("%s holds what was typed in the clear", k)
		}
	}
	b.post("/report/save", nil)
	b.says("saved in this browser")
	b.get("/report")
	b.says("Continue your report")
	b.post("/report", url.Values{"do": {"continue"}})
	b.at("/report/when")
	b.post("/report/delete", nil)
	b.get("/report/when")
	b.at("/report")
}

func TestHarmStopsTheFormAndNothingIsLost(t *testing.T) {
	w := newWorld(t)
	for _, harm := range w.form.Field("harm").Options {
		if harm == "none" {
			continue
		}
		b := w.browser("bn")
		b.begin()
		b.fill("harm", nil)
		b.answer("harm", url.Values{"harm": {harm}})
		b.at("/report/stop_harm")
		b.sound()
		b.post("/report/stop_harm", url.Values{"call_phone": {"call me"}, "call_about": {"he is back"}})
		if b.status != http.StatusUnprocessableEntity || !strings.Contains(b.body, "he is back") {
			t.Fatalf("a wrong number: %d", b.status)
		}
		b.sound()
		b.post("/report/stop_harm", url.Values{"call_phone": {"07700 900123"}, "call_about": {"he is back"}})
		b.sound()
		b.class("reference")
	}
	w.work()
	for _, a := range w.router.arrived {
		if a.Facts.Answers["risk"] == "" {
			t.Errorf("no risk: %+v", a.Facts)
		}
	}
	if n := len(w.router.arrived); n != 2*7 {
		t.Errorf("%d arrivals, each worked twice", n)
	}
}

func TestWordsThatSuggestRiskAreToldAtOnceAndTheFormMayGoOn(t *testing.T) {
	w := newWorld(t)
	b := w.browser("en")
	b.begin()
	b.fill("what", nil)
	b.answer("what", url.Values{"what": {"He says he is going to kill me tonight."}})
	b.at("/report/stop_harm")
	b.says("It is not lost")
	if items := w.accepted(); len(items) != 1 || bodyOf(t, items[0]).Answers["what"] == "" {
		t.Fatalf("accepted: %+v", items)
	}
	w.work()
	b.get("/report/when")
	b.fill("check", nil)
	w.clock.pass(5 * time.Minute)
	b.send()
	b.at("/report/sent")
	w.work()
	r, err := w.store.ReportByReference(context.Background(), b.class("reference"))
	must(t, err)
	if len(r.Contacts) != 2 || !r.HighHarm || r.Place.Text == "" {
		t.Errorf("one report with both contacts and all answers: %+v", r)
	}
}

func TestPeopleAreTakenForPeopleAndNobodyIsLockedOut(t *testing.T) {
	w := newWorld(t, func(o *web.Options) { o.Busy = 2 })
	b := w.browser("en")
	b.begin()
	b.fill("check", nil)
	b.send() // within no time
	b.says("That was very quick")
	w.clock.pass(2 * time.Minute)
	trap := b.hidden("/report/check")
	trap.Set("website", "https://example.org")
	b.post("/report/check", trap)
	b.says("hidden box")
	b.send()
	b.at("/report/sent")

	for range 2 {
		w.ready("en", nil).send()
	}
	late := w.browser("en")
	late.begin()
	late.fill("check", nil)
	w.clock.pass(70 * time.Second)
	for range 2 { // fill the bucket again at this moment
		x := w.browser("en")
		x.begin()
		x.fill("check", nil)
	}
	late.get("/report/check")
	for range 3 {
		other := w.browser("en")
		other.begin()
		other.fill("check", nil)
	}
	late.send()
	if late.url.Path == "/report/check" { // busy: without a script it waits once
		late.says("Very many reports")
		w.clock.pass(46 * time.Second)
		late.send()
	}
	late.at("/report/sent")
}

func TestHostileInputIsRefusedOrKeptAsText(t *testing.T) {
	w := newWorld(t)
	b := w.browser("en")
	b.begin()
	b.fill("what", nil)
	for name, v := range map[string]string{
		"script": `"><script>alert(1)</script>`, "bad utf-8": "a\xff\xfeb", "nul": "a\x00b", "turned": "a\u202egnp.exe", "entities": "&lt;b&gt; {{.}} ${x}",
	} {
		b.get("/report/what")
		b.answer("what", url.Values{"what": {v}})
		if b.status != http.StatusOK {
			t.Errorf("%s: %d", name, b.status)
		}
		b.get("/report/what")
		if strings.Contains(b.body, "<script>alert") || strings.ContainsAny(b.body, "\x00\u202e") || len(find(b.doc, func(n *html.Node) bool { return n.Data == "script" && attr(n, "src") == "" })) > 0 {
			t.Errorf("%s came through", name)
		}
	}
	b.answer("what", url.Values{"what": {strings.Repeat("ź", 4001)}})
	b.says("4000 characters or fewer")
	b.post("/report/what", url.Values{"what": {strings.Repeat("x", 100_000)}})
	if b.status != http.StatusRequestEntityTooLarge {
		t.Errorf("a huge body: %d", b.status)
	}
	b.get("/report/what")
	b.answer("what", nil)
	b.post("/report/when", url.Values{"from_date-day": {"31"}, "from_date-month": {"2"}, "from_date-year": {"2026"}, "exact": {"maybe"}})
	b.says("Enter a real day")
	b.post("/report/when", url.Values{"from_date-day": {"28"}, "from_date-month": {"3"}, "from_date-year": {"2026"}, "exact": {"exact"}})
	b.says("must not be in the future")
	b.post("/report/when", url.Values{"from_date-day": {"২৬"}, "from_date-month": {"3"}, "from_date-year": {"2026"}, "to_date-day": {"25"}, "to_date-month": {"3"}, "to_date-year": {"2026"}, "exact": {"exact"}})
	b.says("The end must not be before the beginning")
	b.get("/report/when")
	b.fill("files", nil)
	for _, f := range []upload{
		{"a.jpg", "<html><script>alert(1)</script>"},
		{"b.svg", `<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`},
		{"c.zip", "PK\x03\x04 and more"},
		{"d.exe", "MZ\x90\x00"},
		{"e.png", ""},
		{"f.mp4", "\x00\x00\x00\x18ftypavif"},
	} {
		b.postFiles("/report/files", url.Values{"do": {"upload"}}, f)
		if b.status != http.StatusUnprocessableEntity || strings.Contains(b.body, "remove-") {
			t.Errorf("%s: %d", f.name, b.status)
		}
		b.sound()
	}
	for i := range 12 {
		b.postFiles("/report/files", url.Values{"do": {"upload"}}, upload{fmt.Sprintf("../%d.jpg", i), jpeg})
	}
	b.says("you can add up to 10 files")
	if n := strings.Count(b.body, `value="remove-`); n != 10 {
		t.Errorf("%d files are kept", n)
	}
	req, err := http.NewRequest(http.MethodPost, w.http.URL+"/report/check", strings.NewReader(""))
	must(t, err)
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	b.do(req)
	if b.status != http.StatusForbidden {
		t.Errorf("another site's request: %d", b.status)
	}
}

func TestFilesOfReportsNeverSentAreErased(t *testing.T) {
	w := newWorld(t)
	b := w.browser("en")
	b.begin()
	b.fill("files", nil)
	b.postFiles("/report/files", url.Values{"do": {"upload"}}, upload{"a.jpg", jpeg})
	staged, err := w.redis.ZRange(context.Background(), "{web}:staged", 0, -1).Result()
	must(t, err)
	if len(staged) != 1 {
		t.Fatalf("staged: %v", staged)
	}
	must(t, w.server.Sweep(context.Background()))
	w.clock.pass(9 * 24 * time.Hour)
	must(t, w.server.Sweep(context.Background()))
	if n, err := w.redis.ZCard(context.Background(), "{web}:staged").Result(); err != nil || n != 0 {
		t.Errorf("%d are still staged (%v)", n, err)
	}
}

// follow signs in at the tracking page.
func (b *browser) follow(reference, secret string) {
	b.w.t.Helper()
	b.post("/track", url.Values{"reference": {reference}, "secret": {secret}})
}

func TestFollowingAReport(t *testing.T) {
	w := newWorld(t)
	b := w.ready("en", nil)
	b.send()
	reference, secret := b.class("reference"), b.class("secret-word")
	w.work()
	ctx := context.Background()
	r, err := w.store.ReportByReference(ctx, reference)
	must(t, err)
	_, err = w.store.Update(ctx, r.ID, crm.PublicUpdate{By: "h1", Text: "For everybody <b>"})
	must(t, err)
	_, err = w.store.Update(ctx, r.ID, crm.PublicUpdate{By: "h1", Text: "For witnesses only", For: []crm.PartyRole{crm.RoleWitness}})
	must(t, err)

	f := w.browser("en")
	f.follow("nothing", "at all")
	wrong := textOf(f.doc)
	f.follow(reference, "BCDF-GHJK-MNPQ")
	if textOf(f.doc) != wrong || f.status != http.StatusUnprocessableEntity {
		t.Errorf("a wrong secret is answered otherwise than a wrong reference")
	}
	f.follow(strings.ToLower(strings.ReplaceAll(reference, "-", " ")), secret)
	f.at("/track/report")
	f.sound()
	f.says("For everybody <b>")
	if strings.Contains(f.body, "For witnesses only") {
		t.Error("a victim sees what was said to witnesses")
	}
	f.postFiles("/track/add", url.Values{"key": f.hidden("/track/add")["key"], "text": {"I found the receipt"}}, upload{"r.pdf", "%PDF-1.7"})
	f.says("What you added was received")
	f.post("/track/preferences", url.Values{"updates": {"post"}})
	f.says("What you chose is saved")
	f.post("/track/withdraw", url.Values{"text": {"I do not want to go on"}})
	f.says("noted that you do not wish to go on")
	w.work()
	f.get("/track/report")
	f.says("Withdrawn")
	r, err = w.store.Report(ctx, r.ID)
	must(t, err)
	if r.Parties[0].UpdatesBy != "post" || r.Parties[0].WithdrawnAt.IsZero() || len(r.Contacts) != 3 {
		t.Errorf("the report: %+v", r)
	}
	f.post("/track/leave", nil)
	f.get("/track/report")
	f.at("/track")

	// Too many wrong secrets: then not even the right one opens it, and nothing says so.
	for range 10 {
		f.follow(reference, "BCDF-GHJK-MNPQ")
	}
	f.follow(reference, secret)
	if f.url.Path != "/track" || textOf(f.doc) != wrong {
		t.Errorf("after ten wrong secrets: %s", f.url.Path)
	}
	w.clock.pass(time.Hour)
	f.follow(reference, secret)
	f.at("/track/report")
}

func TestAOneTimeCodeOpensAReportOnce(t *testing.T) {
	w := newWorld(t)
	b := w.ready("en", nil)
	b.send()
	reference := b.class("reference")
	w.work()
	f := w.browser("en")
	ask := func(email string) {
		f.post("/track/code", url.Values{"reference": {reference}, "email": {email}})
		w.server.Wait()
	}
	ask("somebody.else@example.org")
	nobody := textOf(f.doc)
	if len(w.mail.sent) != 1 {
		t.Fatalf("a code went to an address that is not on file")
	}
	ask("Sam@Example.org")
	if textOf(f.doc) != nobody {
		t.Error("the page tells whether the address is on file")
	}
	var code string
	for _, m := range w.mail.sent {
		if m.Template == "code" {
			_, code, _ = strings.Cut(m.Text, "Your code is ")
			code = code[:8]
		}
	}
	f.post("/track/code/enter", url.Values{"code": {"00000000"}})
	f.says("does not open a report")
	f.sound()
	f.post("/track/code/enter", url.Values{"code": {code[:4] + " " + code[4:]}})
	f.at("/track/report")
	f.post("/track/code/enter", url.Values{"code": {code}})
	f.at("/track/code")
}

// code is the one-time code that was sent.
func (w *world) code() string {
	w.t.Helper()
	for _, m := range w.mail.sent {
		if _, code, ok := strings.Cut(m.Text, "Your code is "); ok && m.Template == "code" {
			return code[:8]
		}
	}
	w.t.Fatal("no code was sent")
	return ""
}

func TestACodeOpensThePartOfWhomItWasSentTo(t *testing.T) {
	w := newWorld(t)
	b := w.ready("en", nil)
	b.send()
	reference := b.class("reference")
	w.work()
	f := w.browser("en")
	f.post("/track/code", url.Values{"reference": {reference}, "email": {"sam@example.org"}})
	w.server.Wait()
	ctx := context.Background()
	r, err := w.store.ReportByReference(ctx, reference)
	must(t, err)
	// A handler puts somebody else first while the code is on its way.
	r.Parties = append([]crm.Party{{Name: "Somebody else", Roles: []crm.PartyRole{crm.RoleVictim}, UpdatesBy: "none"}}, r.Parties...)
	_, err = w.store.SaveReport(ctx, r)
	must(t, err)
	f.post("/track/code/enter", url.Values{"code": {w.code()}})
	f.at("/track/report")
	f.post("/track/preferences", url.Values{"updates": {"post"}})
	r, err = w.store.Report(ctx, r.ID)
	must(t, err)
	if r.Parties[0].UpdatesBy != "none" || r.Parties[1].UpdatesBy != "post" {
		t.Errorf("the code opened another's part: %+v", r.Parties)
	}
}

func TestARestrictedReportIsStillItsPartiesOwn(t *testing.T) {
	w := newWorld(t)
	b := w.ready("en", nil)
	b.send()
	reference, secret := b.class("reference"), b.class("secret-word")
	w.work()
	ctx := audit.With(context.Background(), audit.Actor{ID: "h1", Reason: "A handler of the case."})
	r, err := w.store.ReportByReference(ctx, reference)
	must(t, err)
	r.Restricted = true
	r, err = w.store.SaveReport(ctx, r)
	must(t, err)
	f := w.browser("en")
	f.follow(reference, secret)
	f.at("/track/report")
	f.says(reference)
	f.postFiles("/track/add", url.Values{"key": f.hidden("/track/add")["key"], "text": {"I found the receipt"}})
	f.says("What you added was received")
	w.work()
	if r, err = w.store.Report(ctx, r.ID); err != nil || len(r.Contacts) != 2 {
		t.Errorf("what was added is not with the report: %+v, %v", r.Contacts, err)
	}
	// One who turns out to be a suspect follows it no longer.
	r.Parties[0].Roles = []crm.PartyRole{crm.RoleSuspect}
	_, err = w.store.SaveReport(ctx, r)
	must(t, err)
	f.get("/track/report")
	f.at("/track")
	f.follow(reference, secret)
	f.at("/track")
}

// run works the inbox until it is empty, as the program does.
func (w *world) run() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	quick := inbox.New(inbox.Options{Redis: w.redis, Poll: time.Millisecond, Backoff: func(int) time.Duration { return time.Millisecond }})
	ended := make(chan struct{})
	go func() { quick.Run(ctx, map[inbox.Kind]inbox.Worker{inbox.Web: w.server}); close(ended) }()
	for ctx.Err() == nil {
		if left, err := quick.Pending(ctx, inbox.Web); err == nil && left.Pending == 0 {
			break
		}
	}
	if ctx.Err() != nil {
		w.t.Error("the inbox did not become empty")
	}
	cancel()
	<-ended
}

// A report may be disposed of between what was added to it and its filing. That was
// tried for ever, and nobody heard of it.
func TestWhatIsAddedToAReportThatIsGoneReachesAPerson(t *testing.T) {
	w := newWorld(t)
	b := w.ready("en", nil)
	b.send()
	reference, secret := b.class("reference"), b.class("secret-word")
	w.run()
	f := w.browser("en")
	f.follow(reference, secret)
	f.postFiles("/track/add", url.Values{"key": f.hidden("/track/add")["key"], "text": {"I found the receipt"}})
	ctx := context.Background()
	r, err := w.store.ReportByReference(ctx, reference)
	must(t, err)
	must(t, w.redis.Del(ctx, "{r:"+string(r.ID)+"}").Err())
	before := len(w.router.arrived)

	w.run()
	var unfiled contact.ID
	for _, a := range w.router.arrived[before:] {
		if a.Facts.Answers["unfiled"] == "yes" {
			unfiled = a.Contact
		}
	}
	ms, err := w.store.MessagesOf(ctx, unfiled)
	must(t, err)
	if len(ms) != 1 || !strings.Contains(ms[0].Text, "I found the receipt") {
		t.Errorf("a handler gets %+v", ms)
	}
}

func TestAReceiptThatMustNotBeSentHoldsNothingUp(t *testing.T) {
	w := newWorld(t)
	b := w.ready("en", nil)
	b.send()
	w.mail.refuse = fmt.Errorf("unsafe: %w", web.ErrNotSent)
	w.work() // fails when the item is not done
	if len(w.router.arrived) == 0 || len(w.mail.sent) != 1 {
		t.Errorf("%d contacts arrived", len(w.router.arrived))
	}
}
