package agentdesk_test

import (
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"example.org/c3i/agentdesk"
	"example.org/c3i/agentdesk/deskclient"
	"example.org/c3i/crm"
	"example.org/c3i/crm/audit"
	"example.org/c3i/crm/search"
)

// scanner finds everything with EICAR in it.
type scanner struct{}

func (scanner) Scan(_ context.Context, content []byte) crm.ScanResult {
	if strings.Contains(string(content), "EICAR") {
		return crm.Infected
	}
	return crm.Clean
}

func TestFilesAreAddedToAnAnswer(t *testing.T) {
	w := newWorld(t, func(o *agentdesk.Options) { o.Scanner = scanner{} })
	w.add("anna")
	w.add("ben")
	s := w.signOn("anna")
	d := w.open(s)
	w.ready(d)
	id := w.mail("sender@example.org", "One", "Text")
	w.taken(d, id)
	up, err := s.Upload(w.ctx(), `..\..\C:\leaf"let<1>.pdf`, []byte("%PDF-1.7 a leaflet"))
	must(t, err)
	if up.Type != "application/pdf" || up.Size != 18 || up.Scan != crm.Clean || strings.ContainsAny(up.Name, `\/"<>:`) || !strings.HasSuffix(up.Name, ".pdf") {
		t.Fatalf("taken as %+v", up)
	}
	theirs, err := w.signOn("ben").Upload(w.ctx(), "other.txt", []byte("Ben's"))
	must(t, err)
	draft := agentdesk.Draft{To: []crm.Mailbox{{Address: "sender@example.org"}}, Subject: "S", Text: "T", Attachments: []agentdesk.Upload{{ID: theirs.ID}}}
	_, err = d.SendMessage(w.ctx(), id, "answer-0001", draft)
	refused(t, err, agentdesk.CodeInvalid) // nobody reaches another's by its id
	draft.Attachments = []agentdesk.Upload{{ID: up.ID, Name: "changed by the desk"}}
	_, _, err = d.SaveDraft(w.ctx(), id, draft, 0)
	must(t, err)
	// The draft remembers the file by itself, and what it is.
	rdb := w.redis.Client()
	keys, err := rdb.Keys(w.ctx(), "desk:upload:*").Result()
	must(t, err)
	must(t, rdb.Del(w.ctx(), keys...).Err())
	sent, err := d.SendMessage(w.ctx(), id, "answer-0002", draft)
	must(t, err)
	if len(sent.Attachments) != 1 || sent.Attachments[0].Name != up.Name || sent.Attachments[0].Type != "application/pdf" {
		t.Fatalf("sent with %+v", sent.Attachments)
	}
}

func TestAFileThatCannotBeTakenSaysWhy(t *testing.T) {
	w := newWorld(t, func(o *agentdesk.Options) { o.Scanner = scanner{} })
	w.add("anna")
	s := w.signOn("anna")
	for name, c := range map[string]struct{ content, code string }{
		"empty":     {"", agentdesk.CodeInvalid},
		"infected":  {"EICAR", agentdesk.CodeInvalid},
		"too large": {strings.Repeat("a", agentdesk.UploadMax+1), agentdesk.CodeTooLarge},
	} {
		_, err := s.Upload(w.ctx(), "a.txt", []byte(c.content))
		if e := refused(t, err, c.code); e.Field != "file" {
			t.Errorf("%s: field %q", name, e.Field)
		}
	}
	refused(t, s.Call(w.ctx(), "POST", "/api/uploads", struct{}{}, nil), agentdesk.CodeBadRequest)
}

func TestFilesAreGivenOutSafely(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	s := w.signOn("anna")
	d := w.open(s)
	w.ready(d)
	html, _ := w.put("<p>Hello<script>alert(1)</script>")
	raw, _ := w.put("From: sender@example.org\r\n\r\nHello")
	attach := func(id, name, kind string, scan crm.ScanResult) crm.Attachment {
		ref, size := w.put("content of " + id)
		return crm.Attachment{ID: id, Name: name, Blob: ref, Size: size, Declared: "image/png", Detected: kind, Scan: scan}
	}
	id := w.mail("sender@example.org", "Files", "Text", func(m *crm.Message) {
		m.HTML, m.Raw = html, raw
		m.Attachments = []crm.Attachment{
			attach("png", "photo.png", "image/png", crm.NotScanned),
			attach("pdf", "leaflet.pdf", "application/pdf", crm.Clean),
			attach("svg", "drawing.svg", "image/svg+xml", crm.Clean),
			attach("page", "page.png", "text/html", crm.Clean),
			attach("text", "note.txt", "text/plain; charset=utf-16", crm.Clean),
			attach("bad", "virus.exe", "application/x-msdownload", crm.Infected),
			attach("unsure", "locked.zip", "application/zip", crm.ScanFailed),
		}
	})
	m := w.taken(d, id).Written.Messages[0]
	views := map[string]agentdesk.AttachmentView{}
	for _, a := range m.Attachments {
		views[a.ID] = a
	}
	for _, c := range []struct {
		id, kind, disposition string
		sandbox               bool
	}{
		{"png", "image/png", "inline; filename=photo.png", true},
		{"pdf", "application/pdf", "inline; filename=leaflet.pdf", false},
		{"svg", "application/octet-stream", "attachment; filename=drawing.svg", true},
		{"page", "application/octet-stream", "attachment; filename=page.png", true},
		{"text", "text/plain; charset=utf-8", "inline; filename=note.txt", true},
	} {
		resp, err := s.File(w.ctx(), views[c.id].URL, "")
		must(t, err)
		b, err := io.ReadAll(resp.Body)
		must(t, err)
		must(t, resp.Body.Close())
		h := resp.Header
		if string(b) != "content of "+c.id || h.Get("Content-Type") != c.kind || h.Get("Content-Disposition") != c.disposition ||
			h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %q %v", c.id, b, h)
		}
		checkPolicy(t, c.id, h, c.sandbox)
		if views[c.id].Preview != strings.HasPrefix(c.disposition, "inline") {
			t.Errorf("%s: preview %v", c.id, views[c.id].Preview)
		}
	}
	resp, err := s.File(w.ctx(), m.HTMLURL, "")
	must(t, err)
	must(t, resp.Body.Close())
	checkPolicy(t, "html", resp.Header, true)
	if resp.Header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("html as %q", resp.Header.Get("Content-Type"))
	}
	resp, err = s.File(w.ctx(), views["png"].URL+"?save=1", "")
	must(t, err)
	must(t, resp.Body.Close())
	if got := resp.Header.Get("Content-Disposition"); got != "attachment; filename=photo.png" {
		t.Errorf("saved as %q", got)
	}
	for _, quarantined := range []string{"bad", "unsure"} {
		if views[quarantined].URL != "" {
			t.Errorf("%s has the address %s", quarantined, views[quarantined].URL)
		}
		_, err := s.File(w.ctx(), "/api/messages/"+string(m.ID)+"/attachments/"+quarantined, "")
		refused(t, err, agentdesk.CodeQuarantined)
	}
	_, err = s.File(w.ctx(), m.RawURL, "")
	refused(t, err, agentdesk.CodeQuarantined) // what is in it is in quarantine
	for _, address := range []string{"/attachments/none", "/attachments/..%2f..%2fx"} {
		_, err = s.File(w.ctx(), "/api/messages/"+string(m.ID)+address, "")
		refused(t, err, agentdesk.CodeNotFound)
	}
	for _, address := range []string{"/api/messages/01NOBODY/html", "/api/messages/%7Bx%7D/raw", "/api/reports/01NOBODY/attachments/a"} {
		_, err = s.File(w.ctx(), address, "")
		refused(t, err, agentdesk.CodeNotFound)
	}
	seen := w.trailed(audit.Query{Object: "attachment", ObjectID: string(m.ID) + "/png"})
	if len(seen) != 2 || seen[0].Actor.ID != "anna" || seen[0].Operation != audit.Consult {
		t.Errorf("on the trail: %+v", seen)
	}
	if no := w.trailed(audit.Query{Object: "attachment", ObjectID: string(m.ID) + "/bad"}); len(no) != 1 || no[0].Operation != audit.Denied {
		t.Errorf("on the trail: %+v", no)
	}
	must(t, w.blobs.Erase(w.ctx(), html))
	_, err = s.File(w.ctx(), m.HTMLURL, "")
	refused(t, err, agentdesk.CodeNotFound)
	// Without a session nothing is given out.
	plain, err := http.Get(w.web.URL + views["png"].URL)
	must(t, err)
	must(t, plain.Body.Close())
	if plain.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a session: %d", plain.StatusCode)
	}
}

// Photographs that phones put between the lines are drawn there, with nothing
// fetched, and are listed among the files beside.
func TestImagesThatCameWithAMessageAreDrawnInIt(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	s := w.signOn("anna")
	d := w.open(s)
	w.ready(d)
	html, _ := w.put(`<p>src=&#34;cid:photo@phone&#34; Look:</p><img src="cid:photo@phone" alt="the bicycle"><img src="cid:photo@phone">` +
		`<img src="cid:sp%20ace&amp;co@phone"><img src="cid:drawing@phone"><img src="cid:virus@phone"><img src="cid:erased@phone"><img src="cid:large@phone"><img src="cid:nowhere@phone">`)
	gone, _ := w.put("gone")
	must(t, w.blobs.Erase(w.ctx(), gone))
	attach := func(id, cid, kind string, scan crm.ScanResult, size int64) crm.Attachment {
		ref, n := w.put("content of " + id)
		return crm.Attachment{ID: id, Name: id + ".jpg", Blob: ref, Size: max(size, n), Declared: kind, Detected: kind, Scan: scan, ContentID: cid}
	}
	id := w.mail("sender@example.org", "Photographs", "Look:", func(m *crm.Message) {
		m.HTML = html
		m.Attachments = []crm.Attachment{
			attach("1", "photo@phone", "image/jpeg", crm.NotScanned, 0),
			attach("2", "sp ace&co@phone", "image/png", crm.Clean, 0),
			attach("3", "drawing@phone", "image/svg+xml", crm.Clean, 0),
			attach("4", "virus@phone", "image/png", crm.Infected, 0),
			{ID: "5", ContentID: "erased@phone", Blob: gone, Size: 4, Detected: "image/png", Scan: crm.Clean},
			attach("6", "large@phone", "image/png", crm.Clean, 11<<20),
		}
	})
	m := w.taken(d, id).Written.Messages[0]
	if len(m.Attachments) != 6 {
		t.Errorf("%d files are listed", len(m.Attachments))
	}
	resp, err := s.File(w.ctx(), m.HTMLURL, "")
	must(t, err)
	page, err := io.ReadAll(resp.Body)
	must(t, err)
	must(t, resp.Body.Close())
	photo := "data:image/jpeg;base64," + base64.StdEncoding.EncodeToString([]byte("content of 1"))
	other := "data:image/png;base64," + base64.StdEncoding.EncodeToString([]byte("content of 2"))
	want := `<p>src=&#34;cid:photo@phone&#34; Look:</p><img src="` + photo + `" alt="the bicycle"><img src="` + photo + `"><img src="` + other + `">` + strings.Repeat("<img >", 5)
	if string(page) != want {
		t.Errorf("given out: %s", page)
	}
	if csp := resp.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "img-src data:;") {
		t.Errorf("policy %q", csp)
	}
	for file, seen := range map[string]int{"1": 1, "2": 1, "3": 0, "4": 0, "6": 0} {
		if on := w.trailed(audit.Query{Object: "attachment", ObjectID: string(m.ID) + "/" + file}); len(on) != seen {
			t.Errorf("file %s is on the trail %d times, want %d", file, len(on), seen)
		}
	}
}

// A small message that names one picture in many places stays small enough to give
// out.
func TestAPictureInManyPlacesIsDrawnAsFarAsThereIsRoom(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	s := w.signOn("anna")
	d := w.open(s)
	w.ready(d)
	html, _ := w.put(strings.Repeat(`<img src="cid:photo@phone">`, 1000))
	ref, size := w.put(strings.Repeat("x", 1<<20))
	id := w.mail("sender@example.org", "Photographs", "Look:", func(m *crm.Message) {
		m.HTML = html
		m.Attachments = []crm.Attachment{{ID: "1", Blob: ref, Size: size, Detected: "image/png", Scan: crm.Clean, ContentID: "photo@phone"}}
	})
	resp, err := s.File(w.ctx(), w.taken(d, id).Written.Messages[0].HTMLURL, "")
	must(t, err)
	page, err := io.ReadAll(resp.Body)
	must(t, err)
	must(t, resp.Body.Close())
	if n := strings.Count(string(page), "data:image/png"); n != 30 {
		t.Errorf("drawn %d times, %d bytes: there is room for 30", n, len(page))
	}
}

func checkPolicy(t *testing.T, what string, h http.Header, sandbox bool) {
	t.Helper()
	csp := h.Get("Content-Security-Policy")
	if !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "script-src") || strings.HasPrefix(csp, "sandbox;") != sandbox || !strings.Contains(csp, "form-action 'none'") {
		t.Errorf("%s: policy %q", what, csp)
	}
}

func TestTemplatesAreFilledAndWhatIsMissingIsNamed(t *testing.T) {
	texts, err := agentdesk.ParseTemplates("en", []byte("- code: thanks\n  label: Thanks\n  subject: \"Re {{reference}}\"\n  text: \"Dear {{ name }}, {{handler}} of {{service}}\"\n"))
	must(t, err)
	w := newWorld(t, func(o *agentdesk.Options) { o.Templates = texts })
	w.add("anna")
	d := w.desk("anna")
	w.ready(d)
	if list := d.State().Catalogue.Templates; len(list) != 1 || list[0].Code != "thanks" || list[0].Language != "en" {
		t.Fatalf("listed: %+v", list)
	}
	id := w.mail("sender@example.org", "One", "Text")
	w.taken(d, id)
	got, err := d.FillTemplate(w.ctx(), id, "thanks", "en")
	must(t, err)
	if got.Text != "Dear [NAME], Handler anna of The Test Service" || got.Subject != "Re [REFERENCE]" || !slices.Equal(got.Missing, []string{"reference", "name"}) {
		t.Fatalf("filled: %+v", got)
	}
	_, err = d.SavePerson(w.ctx(), id, agentdesk.Person{Name: "Ada Example", Emails: []string{"sender@example.org"}})
	must(t, err)
	made, err := d.CreateReport(w.ctx(), id, crm.Report{Category: "theft", Summary: "Words"})
	must(t, err)
	got, err = d.FillTemplate(w.ctx(), id, "thanks", "en")
	must(t, err)
	if got.Text != "Dear Ada Example, Handler anna of The Test Service" || got.Subject != "Re "+made.Report.Reference || len(got.Missing) != 0 {
		t.Fatalf("filled: %+v", got)
	}
	_, err = d.FillTemplate(w.ctx(), id, "thanks", "pl")
	refused(t, err, agentdesk.CodeInvalid)
}

func TestBadTemplatesSayWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		"- code: a\n  label: A\n  text: \"{{nickname}}\"":                    `no placeholder "nickname"`,
		"- code: a\n  label: A\n  txt: x":                                    "txt",
		"- code: A b\n  label: A\n  text: x":                                 "code",
		"- label: A\n  text: x":                                              "number 1: code",
		"- code: a\n  text: x":                                               "a: label",
		"- code: a\n  label: A":                                              "a: text",
		"- code: a\n  label: A\n  text: x\n- code: a\n  label: B\n  text: y": "two of that code",
		"- code: a\n  label: A\n  text: x\n  subject: \"one\\ntwo\"":         "a: subject",
		"not a list": "templates en",
	} {
		if _, err := agentdesk.ParseTemplates("en", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; want %q", text, err, want)
		}
	}
}

// found answers searches from the real index.
type found struct{ index *search.Index }

func (f found) Find(ctx context.Context, q agentdesk.SearchRequest) (agentdesk.SearchReply, error) {
	res, err := f.index.Query(ctx, search.Query{Text: q.Query, Limit: q.Limit})
	out := agentdesk.SearchReply{More: res.More}
	for _, h := range res.Hits {
		hit := agentdesk.SearchHit{Kind: string(h.Kind), ID: h.ID, Restricted: h.Restricted}
		if len(h.Names) > 0 {
			hit.Title = h.Names[0]
		}
		if h.Report == "01SECRET" {
			hit.Restricted, hit.Behind, hit.Report = true, "report 01SECRET", "01SECRET"
		}
		out.Hits = append(out.Hits, hit)
	}
	return out, err
}

func TestSearchIsAConsultationAndInNoAddress(t *testing.T) {
	var index *search.Index
	w := newWorld(t, func(o *agentdesk.Options) {
		var err error
		index, err = search.Open(t.Context(), search.Options{Redis: o.Redis, Region: "GB"})
		must(t, err)
		o.Finder = found{index}
	})
	w.add("anna")
	must(t, index.Put(w.ctx(), search.Doc{Kind: search.Person, ID: "01P", Names: []string{"Ada Example"}}))
	must(t, index.Put(w.ctx(), search.Doc{Kind: search.Person, ID: "01R", Names: []string{"Ada Restricted"}, Restricted: true}))
	must(t, index.Put(w.ctx(), search.Doc{Kind: search.Message, ID: "01M", Names: []string{"Ada Hidden"}, Report: "01SECRET"}))
	s := w.signOn("anna")
	var got agentdesk.SearchReply
	must(t, s.Call(w.ctx(), "POST", "/api/search", agentdesk.SearchRequest{Query: " ada ex"}, &got))
	if len(got.Hits) != 1 || got.Hits[0].ID != "01P" || got.Hits[0].Title != "Ada Example" {
		t.Fatalf("found %+v", got)
	}
	got = agentdesk.SearchReply{}
	must(t, s.Call(w.ctx(), "POST", "/api/search", agentdesk.SearchRequest{Query: "ada"}, &got))
	if !slices.ContainsFunc(got.Hits, func(h agentdesk.SearchHit) bool { return h.ID == "01R" && h.Masked }) {
		t.Errorf("the restricted one is not there: %+v", got.Hits)
	}
	// A message of a restricted report says which report to open for it, and no more.
	if !slices.ContainsFunc(got.Hits, func(h agentdesk.SearchHit) bool { return h.ID == "01M" && h.Masked && h.Report == "01SECRET" }) {
		t.Errorf("the message has no link to its report: %+v", got.Hits)
	}
	for _, h := range got.Hits {
		if h.Restricted && (!h.Masked || h.Title != "" || h.Because != nil) {
			t.Errorf("shown: %+v", h)
		}
	}
	trail := w.trailed(audit.Query{Operation: audit.Search})
	if len(trail) != 2 || trail[0].Actor.ID != "anna" || trail[0].Object != "search" || trail[0].ObjectID != "" {
		t.Fatalf("on the trail: %+v", trail)
	}
	for name, q := range map[string]agentdesk.SearchRequest{
		"query": {Query: "  "}, "kinds": {Query: "a", Kinds: []string{"secrets"}}, "limit": {Query: "a", Limit: 51},
	} {
		if e := refused(t, s.Call(w.ctx(), "POST", "/api/search", q, nil), agentdesk.CodeInvalid); e.Field != name {
			t.Errorf("field %q, want %q", e.Field, name)
		}
	}
	refused(t, s.Call(w.ctx(), "POST", "/api/search", agentdesk.SearchRequest{Query: strings.Repeat("a", 201)}, nil), agentdesk.CodeInvalid)
	refused(t, s.Call(w.ctx(), "GET", "/api/search?q=ada", nil, nil), agentdesk.CodeMethod)
}

func TestSignOnsAndRefusalsAreOnTheTrail(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	s := w.signOn("anna")
	refused(t, s.Call(w.ctx(), "GET", "/api/agents", nil, nil), agentdesk.CodeForbidden)
	_, err := deskclient.SignOn(w.ctx(), w.web.URL, "anna", "not the password")
	refused(t, err, agentdesk.CodeWrongPassword)
	_, err = deskclient.SignOn(w.ctx(), w.web.URL, "my secret password", "x")
	refused(t, err, agentdesk.CodeWrongPassword)
	must(t, s.Call(w.ctx(), "POST", "/api/sign-off", nil, nil))
	var told []string
	for _, e := range w.trailed(audit.Query{}) {
		told = append(told, string(e.Operation)+" "+e.ObjectID+" "+e.Outcome)
	}
	slices.Reverse(told)
	want := []string{"sign_on anna ok", "denied  forbidden", "sign_on anna wrong_credentials", "sign_on  wrong_credentials", "sign_off anna ok"}
	// Reading the trail is on it, too, at the end.
	if len(told) != len(want)+1 || !slices.Equal(told[:len(want)], want) {
		t.Errorf("the trail tells %q, want %q", told, want)
	}
}
