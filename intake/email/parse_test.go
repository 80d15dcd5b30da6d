package email

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"example.org/c3i/contact/importrule"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestImports(t *testing.T) {
	importrule.Check(t, importrule.Rule{AllowOurs: []string{
		"contact", "routing", "crm", "crm/audit", "crm/blob", "edge", "intake/inbox", "intake/triage",
	}})
}

// summary is what of a Parsed is compared: files by size, type and name.
func summary(p Parsed) map[string]any {
	var files []string
	for _, f := range p.Files {
		files = append(files, fmt.Sprintf("%s | %s | %s | cid:%s | inline:%v | %d bytes", f.Name, f.Declared, f.Detected, f.ContentID, f.Inline, len(f.Data)))
	}
	m := map[string]any{
		"from": p.From, "to": p.To, "cc": p.Cc, "subject": p.Subject, "id": p.MessageID, "in_reply_to": p.InReplyTo, "references": p.References,
		"text": clip(p.Text, 2000), "html": clip(CleanHTML(p.HTML), 2000), "files": files, "flags": p.Flags, "no_receipt": p.NoReceipt,
		"report": p.Report, "problems": p.Problems,
	}
	for k, v := range m {
		b, _ := json.Marshal(v)
		switch string(b) {
		case "null", `""`, "[]", "{}":
			delete(m, k)
		}
	}
	return m
}

// Each file is named by what is odd about it; beside it stands what is made of it.
func TestOddAndHostileMail(t *testing.T) {
	files, err := filepath.Glob("testdata/*.eml")
	if err != nil || len(files) < 50 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".eml"), func(t *testing.T) {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			p := Parse(t.Context(), raw, DefaultLimits)
			sane(t, p)
			var b bytes.Buffer
			enc := json.NewEncoder(&b)
			enc.SetEscapeHTML(false)
			enc.SetIndent("", "  ")
			if err := enc.Encode(summary(p)); err != nil {
				t.Fatal(err)
			}
			golden := strings.TrimSuffix(file, ".eml") + ".json"
			if *update {
				if err := os.WriteFile(golden, b.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), b.String()); d != "" {
				t.Errorf("parsed otherwise (-want +got):\n%s", d)
			}
		})
	}
}

// sane holds what must hold of any message whatever.
func sane(t *testing.T, p Parsed) {
	t.Helper()
	for name, s := range map[string]string{"subject": p.Subject, "from": p.From.Address, "name": p.From.Name, "id": p.MessageID} {
		if strings.ContainsAny(s, "\r\n\x00") || !utf8.ValidString(s) {
			t.Errorf("%s holds a line end or is no text: %q", name, s)
		}
	}
	if !utf8.ValidString(p.Text) || strings.Contains(p.Text, "\x00") {
		t.Errorf("the text is no text: %q", clip(p.Text, 200))
	}
	for _, id := range append(append([]string{p.MessageID}, p.InReplyTo...), p.References...) {
		if id == "@" || strings.ContainsAny(id, "<> \r\n") {
			t.Errorf("id %q", id)
		}
	}
	for _, f := range p.Files {
		if f.Name == "" || strings.ContainsAny(f.Name, "/\\\r\n\x00\u202e") || f.Name == ".." || !utf8.ValidString(f.Name) {
			t.Errorf("file name %q", f.Name)
		}
	}
	if len(p.Files) > DefaultLimits.Parts+1 || len(p.Text) > DefaultLimits.Text || len(p.HTML) > DefaultLimits.HTML {
		t.Errorf("beyond the limits: %d files, %d bytes of text, %d of HTML", len(p.Files), len(p.Text), len(p.HTML))
	}
	clean := strings.ToLower(CleanHTML(p.HTML))
	for _, bad := range []string{"<script", "<style", "<iframe", "<form", "javascript:", "onerror=", "onload=", "src=\"http", "url("} {
		if strings.Contains(clean, bad) && strings.Contains(clean, "<") && strings.Contains(bad, "<") {
			t.Errorf("cleaned HTML holds %q", bad)
		}
	}
}

func TestHTMLIsCleanedAndFetchesNothing(t *testing.T) {
	for in, want := range map[string]string{
		`<p onclick="x()">a<script>alert(1)</script></p>`:              `<p>a</p>`,
		`<img src="http://t.example.com/x.png" onerror="x()">`:         ``,
		`<img src="cid:pic@example.org" alt="the lock">`:               `<img src="cid:pic@example.org" alt="the lock">`,
		`<a href="javascript:x()">a</a>`:                               `a`,
		`<div style="background:url(http://t.example.com)">a</div>`:    `<div>a</div>`,
		`<iframe src="https://e.example.com"></iframe><b>b</b>`:        `<b>b</b>`,
		`<svg><script>x()</script></svg><p>c</p>`:                      `<p>c</p>`,
		`<p dir="rtl">سرقت</p>`:                                        `<p dir="rtl">سرقت</p>`,
		`<table background="http://t.example.com"><tr><td>1</td></tr>`: `<table><tr><td>1</td></tr>`,
		`<a href="https://example.org/a">a</a>`:                        `<a href="https://example.org/a" rel="nofollow noreferrer noopener" target="_blank">a</a>`,
	} {
		if got := CleanHTML(in); got != want {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
	}
}

// A body of 25 MB is read in a time that has nothing to do with how it is built.
func TestA25MBMessageIsReadWithinTheLimits(t *testing.T) {
	var b bytes.Buffer
	b.WriteString("From: alex@example.org\nSubject: big\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\n")
	b.WriteString(strings.Repeat("All work and no play.\n", 25<<20/22))
	b.WriteString("--b\nContent-Type: application/pdf; name=a.pdf\n\n%PDF-1.4 after it\n--b--\n")
	p := Parse(t.Context(), b.Bytes(), DefaultLimits)
	sane(t, p)
	if !p.Flags.Truncated || len(p.Text) < DefaultLimits.Text/2 || len(p.Files) != 1 {
		t.Errorf("truncated %v, %d bytes of text, %d files; want all three", p.Flags.Truncated, len(p.Text), len(p.Files))
	}
}

func TestATimeLimitKeepsWhatWasReadBeforeIt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	raw, err := os.ReadFile("testdata/alternative.eml")
	if err != nil {
		t.Fatal(err)
	}
	p := Parse(ctx, raw, DefaultLimits)
	if !p.Flags.Truncated || p.From.Address != "alex@example.org" || p.Subject != "My bicycle" {
		t.Errorf("%+v", p)
	}
	l := DefaultLimits
	l.Time = time.Hour
	if p := Parse(t.Context(), raw, l); p.Flags.Truncated || p.Text != "Plain words" {
		t.Errorf("%+v", p)
	}
}

func corpus(f *testing.F) {
	files, err := filepath.Glob("testdata/*.eml")
	if err != nil || len(files) == 0 {
		f.Fatal("no corpus", err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
}

func FuzzParse(f *testing.F) {
	corpus(f)
	f.Fuzz(func(t *testing.T, raw []byte) { sane(t, Parse(t.Context(), raw, DefaultLimits)) })
}

// However a message is cut into pieces on its way, and however its lines end, it
// is the same message.
func FuzzIdentity(f *testing.F) {
	corpus(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		whole, bits := newIdentity(), newIdentity()
		_, _ = whole.Write(raw)
		for i := 0; i < len(raw); i += 7 {
			_, _ = bits.Write(raw[i:min(i+7, len(raw))])
		}
		if a, b := whole.key(), bits.key(); a != b {
			t.Fatalf("in pieces %s, whole %s", b, a)
		}
	})
}

func FuzzDeliveryStatus(f *testing.F) {
	f.Add([]byte("Reporting-MTA: dns; a\n\nFinal-Recipient: rfc822; a@example.org\nAction: failed\nStatus: 5.1.1\n"))
	f.Add([]byte("\n\nx\n:\nAction: delayed"))
	f.Fuzz(func(t *testing.T, data []byte) {
		list := parseStatus(data)
		if len(list) > recipientsReported {
			t.Fatalf("%d recipients", len(list))
		}
		for _, r := range list {
			if strings.ContainsAny(r.Diagnostic+r.Status+r.Address, "\r\n") {
				t.Fatalf("%+v", r)
			}
		}
	})
}

func FuzzTNEF(f *testing.F) {
	f.Add([]byte("\x78\x9f\x3e\x22\x01\x00\x02\x02\x90\x06\x00\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		w := walker{ctx: t.Context(), limits: DefaultLimits, odd: map[string]bool{}}
		w.tnef(data)
		sane(t, w.done())
	})
}

func FuzzToken(f *testing.F) {
	s := NewSigner([]byte("0123456789abcdef"))
	f.Add("Re: x " + s.Token("7K2M9QXD"))
	f.Add("[Ref 7K2M-9QXD-000000]")
	f.Fuzz(func(t *testing.T, subject string) {
		for _, r := range s.References(subject) {
			if len(r) != 8 || !strings.Contains(s.Token(r), r.String()) {
				t.Fatalf("reference %q", r)
			}
		}
		if left := s.References(WithoutTokens(subject)); len(left) > 0 && !strings.Contains(WithoutTokens(subject), "[") {
			t.Fatalf("a token stayed in %q", WithoutTokens(subject))
		}
	})
}

func FuzzTemplate(f *testing.F) {
	f.Add("Subject: x\n\n{text} {{ {sender}\n")
	f.Add("Subject: {\n\n}")
	f.Fuzz(func(t *testing.T, text string) {
		one, err := ParseTemplate(text, placeholders["reply"])
		if err != nil {
			return
		}
		ts := &Templates{byName: map[string]map[string]Template{"reply": {"en": one}}}
		subject, _, _, err := ts.Render("reply", map[string]string{"text": "{secret}\r\nBcc: x"}, "pl")
		if err != nil || strings.ContainsAny(subject, "\r\n") {
			t.Fatalf("%q: %q, %v", text, subject, err)
		}
	})
}

func FuzzAuthenticationResults(f *testing.F) {
	f.Add("mx.example.org; spf=pass smtp.mailfrom=a@b; dkim=fail; dmarc=none")
	f.Fuzz(func(t *testing.T, field string) {
		p := Parsed{Results: []string{field}}
		p.From.Address = "a@example.org"
		_ = Checker{Trusted: []string{"mx.example.org"}}.Check(t.Context(), nil, p, envelope{})
	})
}

// A folded field was joined line by line, which took the square of its length: one
// message of a megabyte held a receiver up for most of a minute.
func TestAFieldOfManyLinesIsReadOnce(t *testing.T) {
	const lines = 150_000
	raw := "From: alex@example.org\r\nSubject: x\r\n" + strings.Repeat(" a\r\n", lines) + "X-Next: y\r\n\tz\r\n\r\nbody"
	bytesMade := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			Parse(b.Context(), []byte(raw), DefaultLimits)
		}
	}).AllocedBytesPerOp()
	if most := int64(100 * len(raw)); bytesMade > most {
		t.Errorf("%d bytes were made of a message of %d, want at most %d", bytesMade, len(raw), most)
	}
	if p := Parse(t.Context(), []byte("From: a@example.org\nSubject: one\n two\n\tthree\nMessage-ID:\n <m@example.org>\n\nbody"), DefaultLimits); p.Subject != "one two three" || p.MessageID != "m@example.org" || p.Text != "body" {
		t.Errorf("unfolded as %+v", p)
	}
}
