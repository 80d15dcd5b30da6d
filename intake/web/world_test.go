package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"golang.org/x/net/html"

	"example.org/c3i/configs"
	"example.org/c3i/crm"
	"example.org/c3i/crm/blob"
	"example.org/c3i/crm/redistest"
	"example.org/c3i/intake/inbox"
	"example.org/c3i/intake/triage"
	"example.org/c3i/intake/web"
	"example.org/c3i/intake/web/form"
	"example.org/c3i/routing"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// clock is a clock that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// world is a server over a real Redis, with a real inbox and blob store.
type world struct {
	options web.Options
	t       testing.TB
	clock   *clock
	redis   *redis.Client
	inbox   *inbox.Inbox
	blobs   *blob.Dir
	reg     *prometheus.Registry
	server  *web.Server
	http    *httptest.Server
	form    *form.Form
	texts   *form.Texts
	store   *crm.Store
	router  *router
	mail    *mailer
}

// router keeps what was handed to routing.
type router struct {
	mu      sync.Mutex
	arrived []routing.ContactArrived
}

func (r *router) Submit(_ context.Context, ev routing.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if a, ok := ev.(routing.ContactArrived); ok {
		r.arrived = append(r.arrived, a)
	}
	return nil
}

// mailer keeps what was sent, once for each key as the outbox does.
type mailer struct {
	mu     sync.Mutex
	sent   map[string]web.Mail
	refuse error
}

func (m *mailer) Send(_ context.Context, mail web.Mail) (crm.Message, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.sent == nil {
		m.sent = map[string]web.Mail{}
	}
	m.sent[mail.Key] = mail
	return crm.Message{}, m.refuse
}

// work works every item that was accepted, twice: repeats must be harmless.
func (w *world) work() {
	w.t.Helper()
	for range 2 {
		for _, it := range w.accepted() {
			must(w.t, w.server.Work(context.Background(), it))
		}
	}
}

// rightToLeft is the shipped words and a made-up language from right to left, in
// which each text is the English one between Arabic letters.
func rightToLeft(t testing.TB) fs.FS {
	t.Helper()
	files := fstest.MapFS{}
	must(t, fs.WalkDir(configs.Files, "web", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(configs.Files, path)
		files[path] = &fstest.MapFile{Data: b}
		return err
	}))
	var l form.Language
	must(t, yaml.Unmarshal(files["web/en.yaml"].Data, &l))
	l.Code, l.Name, l.Direction = "ar", "العربية", "rtl"
	all := func(m map[string]string) {
		for k, v := range m {
			m[k] = "سؤال " + v + " نعم"
		}
	}
	all(l.UI)
	all(l.Errors)
	for id, s := range l.Steps {
		for _, p := range []*string{&s.Title, &s.Hint, &s.Why} {
			if *p != "" {
				*p = "سؤال " + *p
			}
		}
		l.Steps[id] = s
	}
	for name, f := range l.Fields {
		for _, p := range []*string{&f.Label, &f.Hint} {
			if *p != "" {
				*p = "كلمة " + *p
			}
		}
		all(f.Errors)
		all(f.Options)
		l.Fields[name] = f
	}
	b, err := yaml.Marshal(l)
	must(t, err)
	files["web/ar.yaml"] = &fstest.MapFile{Data: b}
	return files
}

func newWorld(t testing.TB, change ...func(*web.Options)) *world {
	t.Helper()
	w := &world{t: t, clock: &clock{at: time.Date(2026, 3, 27, 12, 0, 0, 0, time.UTC)}, redis: redistest.Start(t), reg: prometheus.NewRegistry()}
	var err error
	w.blobs, err = blob.OpenDir(t.TempDir(), blob.Options{Floor: -1})
	must(t, err)
	t.Cleanup(func() { _ = w.blobs.Close() })
	w.inbox = inbox.New(inbox.Options{Redis: w.redis, Now: w.clock.now})
	london, err := time.LoadLocation("Europe/London")
	must(t, err)
	w.store, err = crm.Open(context.Background(), crm.Options{Redis: w.redis, Region: "GB", Now: w.clock.now})
	must(t, err)
	w.router, w.mail = &router{}, &mailer{}
	o := web.Options{
		Records: w.store, Router: w.router, Mail: w.mail, Partners: []web.Partner{{Name: "portal", Key: "k1", Secret: "a secret of at least 32 characters"}},
		Redis: w.redis, Texts: rightToLeft(t), Blobs: w.blobs, Inbox: w.inbox, Assess: triage.Assess, CallPage: true,
		FillLeast: time.Minute, Even: time.Millisecond, Zone: london, Registry: w.reg, Now: w.clock.now,
	}
	for _, c := range change {
		c(&o)
	}
	w.form, w.texts, err = web.Load(o)
	must(t, err)
	w.options = o
	w.serve()
	return w
}

func (w *world) serve() {
	w.t.Helper()
	var err error
	w.server, err = web.New(context.Background(), w.options)
	must(w.t, err)
	s, h := w.server, httptest.NewServer(w.server.Handler())
	w.http = h
	w.t.Cleanup(func() {
		h.Close()
		s.Wait()
	})
}

// restart goes on with other settings, on the same Redis.
func (w *world) restart(change func(*web.Options)) {
	w.t.Helper()
	change(&w.options)
	w.options.Registry = prometheus.NewRegistry()
	w.serve()
}

// accepted is every item that was accepted, oldest first as far as known.
func (w *world) accepted() []inbox.Item {
	w.t.Helper()
	var out []inbox.Item
	keys, err := w.redis.Keys(context.Background(), "{in:*}").Result()
	must(w.t, err)
	for _, k := range keys {
		text, err := w.redis.HGet(context.Background(), k, "item").Result()
		must(w.t, err)
		var it inbox.Item
		must(w.t, json.Unmarshal([]byte(text), &it))
		out = append(out, it)
	}
	return out
}

// sent is the body of an accepted item, as far as tests look at it.
type sent struct {
	Kind        string
	IDs         struct{ Report, Contact, Reference, Secret string } `json:"ids"`
	Answers     map[string]string
	Text        string
	Phone       string
	Name        string
	Partner     string
	Attachments []struct {
		Name, Detected string
		Blob           blob.Ref
		Size           int64
	}
}

func bodyOf(t testing.TB, it inbox.Item) sent {
	t.Helper()
	var s sent
	must(t, json.Unmarshal(it.Body, &s))
	return s
}

// browser is one person's browser: cookies and the page that is open.
type browser struct {
	w      *world
	client *http.Client
	lang   string
	header http.Header

	url    *url.URL
	status int
	body   string
	doc    *html.Node
}

func (w *world) browser(lang string) *browser {
	jar, err := cookiejar.New(nil)
	must(w.t, err)
	return &browser{w: w, lang: lang, client: &http.Client{Jar: jar}}
}

func (b *browser) do(req *http.Request) {
	b.w.t.Helper()
	req.Header.Set("Accept-Language", b.lang)
	for k, v := range b.header {
		req.Header[k] = v
	}
	resp, err := b.client.Do(req)
	must(b.w.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	must(b.w.t, err)
	b.url, b.status, b.body = resp.Request.URL, resp.StatusCode, string(text)
	b.doc, err = html.Parse(bytes.NewReader(text))
	must(b.w.t, err)
	if b.url.RawQuery != "" && !regexp.MustCompile(`^(from=check|n=\d+)$`).MatchString(b.url.RawQuery) {
		b.w.t.Errorf("the address has a query: %s", b.url)
	}
}

func (b *browser) get(path string) {
	b.w.t.Helper()
	req, err := http.NewRequest(http.MethodGet, b.w.http.URL+path, nil)
	must(b.w.t, err)
	b.do(req)
}

func (b *browser) post(path string, v url.Values) {
	b.w.t.Helper()
	req, err := http.NewRequest(http.MethodPost, b.w.http.URL+path, strings.NewReader(v.Encode()))
	must(b.w.t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	b.do(req)
}

type upload struct{ name, content string }

func (b *browser) postFiles(path string, v url.Values, files ...upload) {
	b.w.t.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	for _, f := range files {
		part, err := m.CreateFormFile("files", f.name)
		must(b.w.t, err)
		_, err = io.WriteString(part, f.content)
		must(b.w.t, err)
	}
	for k, vs := range v {
		for _, x := range vs {
			must(b.w.t, m.WriteField(k, x))
		}
	}
	must(b.w.t, m.Close())
	req, err := http.NewRequest(http.MethodPost, b.w.http.URL+path, &body)
	must(b.w.t, err)
	req.Header.Set("Content-Type", m.FormDataContentType())
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	b.do(req)
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func hasAttr(n *html.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}

// find lists the elements of a page that a test wants.
func find(n *html.Node, want func(*html.Node) bool) []*html.Node {
	var out []*html.Node
	if n.Type == html.ElementNode && want(n) {
		out = append(out, n)
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		out = append(out, find(c, want)...)
	}
	return out
}

func tag(names ...string) func(*html.Node) bool {
	return func(n *html.Node) bool {
		for _, name := range names {
			if n.Data == name {
				return true
			}
		}
		return false
	}
}

func textOf(n *html.Node) string {
	if n.Type == html.TextNode {
		return n.Data
	}
	var out strings.Builder
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		out.WriteString(textOf(c))
	}
	return strings.Join(strings.Fields(out.String()), " ")
}

// hidden are the hidden fields of the form that posts to an address.
func (b *browser) hidden(action string) url.Values {
	b.w.t.Helper()
	v := url.Values{}
	for _, f := range find(b.doc, tag("form")) {
		if attr(f, "action") == action {
			for _, in := range find(f, tag("input")) {
				if attr(in, "type") == "hidden" {
					v.Set(attr(in, "name"), attr(in, "value"))
				}
			}
		}
	}
	return v
}

func (b *browser) says(text string) {
	b.w.t.Helper()
	if !strings.Contains(textOf(b.doc), text) {
		b.w.t.Fatalf("%s (%d) does not say %q:\n%s", b.url.Path, b.status, text, textOf(b.doc))
	}
}

func (b *browser) at(path string) {
	b.w.t.Helper()
	if b.url.Path != path {
		b.w.t.Fatalf("the browser is at %s (%d), not %s:\n%s", b.url.Path, b.status, path, textOf(b.doc))
	}
}

// begin starts a report.
func (b *browser) begin() {
	b.w.t.Helper()
	b.get("/report")
	b.post("/report", url.Values{"do": {"new"}})
	b.at("/report/emergency")
}

// good are answers that are right, by kind of field.
func good(f *form.Field) url.Values {
	v := url.Values{}
	switch f.Kind {
	case form.Radios:
		v.Set(f.Name, f.Options[0])
	case form.Checkboxes:
		v.Set(f.Name, f.Options[0])
	case form.Date:
		y := "2026"
		if f.Born {
			y = "1980"
		}
		for i, part := range f.Parts() {
			v.Set(part, []string{"26", "3", y}[i])
		}
	case form.Time:
		v.Set(f.Name, map[string]string{"from_time": "17:30", "to_time": "18:05"}[f.Name])
	case form.Phone:
		v.Set(f.Name, "07700 900123")
	case form.Email:
		v.Set(f.Name, "sam@example.org")
	case form.Postcode:
		v.Set(f.Name, "sw1a1aa")
	case form.Money:
		v.Set(f.Name, "1,250.50")
	case form.Name:
		v.Set(f.Name, "Zoë O’Neill")
	case form.Plate:
		v.Set(f.Name, "ab12 cde")
	default:
		text := []rune(fmt.Sprintf("ęóাক \"'<&> words about %s", f.Name))
		v.Set(f.Name, strings.TrimSpace(string(text[:min(len(text), f.Most)])))
	}
	return v
}

// answer posts one page with good answers, but for what is given.
func (b *browser) answer(step string, with url.Values) {
	b.w.t.Helper()
	s := b.w.form.Step(step)
	v := url.Values{}
	for _, f := range s.Fields {
		for k, x := range good(f) {
			v[k] = x
		}
	}
	for k, x := range with {
		v[k] = x
	}
	for k, x := range b.hidden("/report/" + step) {
		v[k] = x
	}
	if s.Fields[0].Kind == form.Files {
		v = url.Values{"do": {"continue"}}
		b.postFiles("/report/"+step, v)
		return
	}
	b.post("/report/"+step, v)
}

// fill answers pages until a page is reached; choose overrides answers by field.
func (b *browser) fill(until string, choose map[string]string) {
	b.w.t.Helper()
	for n := 0; b.url.Path != "/report/"+until; n++ {
		if n > 60 {
			b.w.t.Fatalf("the form does not reach %s; it is at %s", until, b.url.Path)
		}
		step := strings.TrimPrefix(b.url.Path, "/report/")
		if b.w.form.Step(step) == nil || b.status != http.StatusOK {
			b.w.t.Fatalf("the form stands at %s with %d:\n%s", b.url.Path, b.status, textOf(b.doc))
		}
		b.answer(step, chosen(b.w.form.Step(step), choose))
	}
}

// chosen are the choices that lead to the end of the form, changed as wanted.
func chosen(s *form.Step, choose map[string]string) url.Values {
	calm := map[string]string{"emergency": "no", "harm": "none", "another": "no", "needs": "none", "evidence": "none"}
	v := url.Values{}
	for _, f := range s.Fields {
		for _, from := range []map[string]string{calm, choose} {
			if x, ok := from[f.Name]; ok {
				v.Set(f.Name, x)
			}
		}
	}
	return v
}
