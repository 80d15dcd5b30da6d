package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"regexp"
	"strings"
	"testing"
	"time"

	"example.org/c3i/agentdesk"
	"example.org/c3i/configs"
	"example.org/c3i/contact"
	"example.org/c3i/routing"
	"example.org/c3i/routing/explain"
	"example.org/c3i/routing/journal"
	"example.org/c3i/routing/plan"
	"example.org/c3i/routing/release"
)

// manager is a session of the manager of a first start.
type manager struct {
	t      *testing.T
	url    string
	client *http.Client
}

func signOnManager(t *testing.T, p *program, data string) *manager {
	t.Helper()
	found := regexp.MustCompile(`manager +(\w{4}-\w{4}-\w{4})`).FindStringSubmatch(p.out.String())
	if found == nil {
		t.Fatalf("no password in %s", p.out)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	m := &manager{t: t, url: readRun(t, data).HTTP, client: &http.Client{Jar: jar, Timeout: 30 * time.Second}}
	m.must(http.StatusOK, "POST", "/api/sign-on", `{"user":"manager","password":"`+found[1]+`"}`)
	m.must(http.StatusOK, "POST", "/api/password", `{"current":"`+found[1]+`","new":"correct horse battery"}`)
	return m
}

func (m *manager) ask(method, path, body string) (int, string) {
	m.t.Helper()
	req, err := http.NewRequestWithContext(m.t.Context(), method, m.url+path, strings.NewReader(body))
	if err != nil {
		m.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := m.client.Do(req)
	if err != nil {
		m.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		m.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func (m *manager) must(code int, method, path, body string, has ...string) string {
	m.t.Helper()
	got, text := m.ask(method, path, body)
	ok := got == code
	for _, h := range has {
		ok = ok && strings.Contains(text, h)
	}
	if !ok {
		m.t.Errorf("%s %s: %d %.600s, want %d with %q", method, path, got, text, code, has)
	}
	return text
}

// Over the API of a running C3i, and by the commands beside it: surges, what would
// become of a contact, and what would happen.
func TestForesightOfARunningC3i(t *testing.T) {
	data := newFolder(t)
	p := up(t, data)
	m := signOnManager(t, p, data)
	at := []string{"--data_dir", data}
	do := func(want string, args ...string) {
		t.Helper()
		says(t, want, append(args, at...)...)
	}
	m.must(200, "GET", "/api/plans", "", `"in_force":1`)
	m.must(404, "GET", "/api/contacts/nobody/why", "")

	m.must(200, "GET", "/api/surges", "", `"surge":"major-incident"`, `"on":false`)
	text := m.must(200, "POST", "/api/surges", `{"surge":"major-incident","on":true,"reason":"floods"}`, `"on":true`, `"by":"manager"`)
	if !strings.Contains(text, `"applied":`) {
		t.Errorf("routing had not switched it: %s", text)
	}
	m.must(409, "POST", "/api/surges", `{"surge":"major-incident","on":true,"reason":"floods"}`, "on already")
	m.must(404, "POST", "/api/surges", `{"surge":"major-incidnt","on":true,"reason":"floods"}`, `did you mean \"major-incident\"?`)
	do("major-incident  on ", "surge", "list")
	do("surge major-incident is off\n", "surge", "off", "major-incident", "--reason", "over", "--as", "sup")
	do("surge_off by sup: over", "plan", "audit")
	do("surge major-incident is on\n", "surge", "on", "major-incident", "--reason", "again", "--as", "sup")

	ask := `{"channel":"phone","language":"pl","answers":{"menu":"crime"}}`
	m.must(200, "POST", "/api/why", ask, `“report a crime”`, `"queue":"crime"`, `"surges":["major-incident"]`, "No handler is signed on.", `"at":`)
	m.must(422, "POST", "/api/why", `{"answers":{"menu":"crim"}}`, `did you mean crime?`, `"field":"answers.menu"`)
	m.must(422, "POST", "/api/why", `{"chanel":"phone"}`, `did you mean channel?`)
	do("The rule “report a crime” would put it in a queue: Report a crime (crime)", "why", "--if", "language=pl answers.menu=crime")
	if _, errOut, code := call(t, append(at, "why", "--if", "answers.meny=crime")...); code != exitUsage || !strings.Contains(errOut, "did you mean answers.menu?") {
		t.Errorf("a misspelt answer: %d %s", code, errOut)
	}

	text = m.must(200, "POST", "/api/fork", `{"surges_off":["major-incident"]}`, `"basis":"volume: the journal tells too little`, `"summary":["`, `with the changes`)
	var answer forkAnswer
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		t.Fatal(err)
	}
	if len(answer.Report.Plans) != 2 || answer.Until != answer.At.Add(contact.Hour) || answer.Took <= 0 {
		t.Errorf("the answer is %+v", answer)
	}
	m.must(422, "POST", "/api/fork", `{"moves":[{"count":1,"from":"crime-dsk","to":"crime-desk-polish"}]}`, `did you mean \"crime-desk\"?`, `"field":"moves.from"`)
	m.must(422, "POST", "/api/fork", `{"surges_on":["major"]}`, `did you mean \"major-incident\"?`)
	m.must(422, "POST", "/api/fork", `{"plan":"x: 1"}`, `"problems":[`)
	m.must(404, "POST", "/api/fork", `{"version":9}`, "newest is 1")
	do("as of now", "whatif", "--surge-off", "major-incident", "--replications", "2")
	if _, errOut, code := call(t, append(at, "whatif", "--move", "1:crime-desk:nobody")...); code != exitUsage || !strings.Contains(errOut, `--move: The plan has no handler profile "nobody"`) {
		t.Errorf("a misspelt profile: %d %s", code, errOut)
	}
	m.must(200, "GET", "/api/alerts", "", `{"standing":0,"alerts":[]}`)

	stopped(t, p, data)
	do("C3i does not run: as of record ", "why", "--if", "channel=phone")
	do("surge major-incident is to be off; C3i does not run", "surge", "off", "major-incident", "--reason", "over", "--as", "sup")
	do("off at the next start", "surge", "list")
	p = up(t, data)
	do("major-incident  off ", "surge", "list")
	stopped(t, p, data)
	says(t, "the journal gives the same state", "replay", "--data_dir", data)
}

// What a fork is based on is the journal's recent past once that tells enough, and
// the answer comes within its budget however many wait.
func TestForesightFromACrowd(t *testing.T) {
	client := redisForTest(t)
	archive := release.New(client, archiveName, nil)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	source := shippedPlan(t)
	if _, err := archive.Adopt(ctx, 1, source); err != nil {
		t.Fatal(err)
	}
	store := journal.NewRedis(client, journalName, journal.Retention{})
	w, err := store.Open(ctx)
	if err != nil {
		t.Fatal(err)
	}
	engine := routing.New()
	now := contact.At(time.Now()).Add(-contact.Hour)
	var records []journal.Record
	var chain []byte
	step := func(ev routing.Event) []routing.Action {
		kind, payload, err := journal.Encode(ev)
		if err != nil {
			t.Fatal(err)
		}
		decoded, err := journal.Decode(kind, payload, plan.Load)
		if err != nil {
			t.Fatal(err)
		}
		r := journal.Record{Seq: uint64(len(records)) + 1, At: now, Epoch: w.Epoch(), Kind: kind, Event: payload}
		r.Chain = journal.Link(chain, r)
		chain = r.Chain
		records = append(records, r)
		return engine.Step(now, decoded)
	}
	step(routing.PlanPublished{Version: 1, Source: source})
	for _, q := range []routing.QueueID{"crime", "existing", "general"} {
		step(routing.HoursChanged{Queue: q, Open: true})
	}
	for i := range 40 {
		id := routing.AgentID(fmt.Sprintf("h%02d", i))
		step(routing.AgentSignedOn{Agent: id, Profile: []string{"crime-desk", "crime-desk-polish"}[i%2], DeviceUp: true})
		step(routing.AgentReady{Agent: id})
	}
	const calls = 600
	for i := range calls {
		now = now.Add(contact.Hour / calls)
		id := contact.ID(fmt.Sprintf("01CALL%020d", i))
		facts := contact.Facts{Language: "en", Answers: map[string]string{"menu": []string{"crime", "handler"}[i%2]}}
		for _, a := range step(routing.ContactArrived{Contact: id, Channel: contact.Phone, Arrival: now, Facts: facts}) {
			o, is := a.(routing.Offer)
			if !is {
				continue
			}
			step(routing.OfferAccepted{Offer: o.Offer, Agent: o.Agent})
			step(routing.Connected{Contact: o.Contact, Agent: o.Agent})
			if i%3 > 0 {
				now = now.Add(contact.Millisecond)
				step(routing.ContactReleased{Contact: o.Contact, Cause: routing.ReleasedByCaller})
				step(routing.WrapUpDone{Contact: o.Contact, Agent: o.Agent, Outcome: "advice_given"})
			}
		}
	}
	if err := w.Append(ctx, records); err != nil {
		t.Fatal(err)
	}
	f, j, err := foreseerOf(ctx, configs.Defaults(), client)
	if err != nil {
		t.Fatal(err)
	}
	before := engine.Hash()
	got, err := f.fork(ctx, agentdesk.ForkQuestion{Moves: []agentdesk.ForkMove{{Count: 3, From: "crime-desk", To: "enquiries-bengali"}}, Replications: 3})
	if err != nil {
		t.Fatal(err)
	}
	for _, says := range []string{"volume: 600 contacts in the journal's last 1h0m", "mix: the journal's", "handling times, phone: "} {
		if !strings.Contains(got.Basis, says) {
			t.Errorf("the basis does not say %q: %s", says, got.Basis)
		}
	}
	if got.Report.Replications != 3 || len(got.Summary) < 4 || !strings.Contains(j.asOf, "C3i does not run: as of record ") {
		t.Errorf("%s %+v", j.asOf, got.Summary)
	}
	now2, err := explain.Present(ctx, store)
	if err != nil || now2.Engine.Hash() != before {
		t.Errorf("the journal's end is another state: %v", err)
	}
	// With a budget it gives what is done by then.
	f.budget = time.Millisecond
	if got, err = f.fork(ctx, agentdesk.ForkQuestion{Replications: 50, Hours: 2}); err != nil || got.Report.Replications < 1 || got.Report.Replications == 50 || got.Report.Complete && got.Report.Asked == 50 {
		t.Errorf("with no time to speak of: %v, %+v", err, got)
	}
}

func TestMovesAreRead(t *testing.T) {
	for text, want := range map[string]string{
		"3:crime-desk:general": "{3 [] crime-desk general}", "1::general": "{1 []  general}", "h1,h2:general": "{0 [h1 h2]  general}",
		"0:a:b": "", "x:a:b": "", "a": "", ":b": "", "h1,:b": "", "3:a:": "", "1:2:3:4": "",
	} {
		m, err := parseMove(text)
		got := fmt.Sprint(m)
		if (err != nil) != (want == "") || err == nil && got != want {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
}
