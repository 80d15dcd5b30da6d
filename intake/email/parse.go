package email

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/k3a/html2text"

	"example.org/c3i/crm"
)

// Parse reads a message as far as it can be read; it never fails. When nothing
// can be made of the bytes Flags.Unreadable is set. ctx bounds the time.
func Parse(ctx context.Context, raw []byte, l Limits) Parsed {
	ctx, cancel := context.WithTimeout(ctx, l.Time)
	defer cancel()
	w := walker{ctx: ctx, limits: l, odd: map[string]bool{}}
	h, body := splitHeader(raw)
	w.p.From = first(addresses(h.get("from")))
	if w.p.From.Address == "" {
		w.p.From = first(addresses(h.get("sender")))
	}
	w.p.ReplyTo, w.p.To, w.p.Cc = addresses(h.get("reply-to")), addresses(strings.Join(h.all("to"), ", ")), addresses(strings.Join(h.all("cc"), ", "))
	w.p.Subject = clip(decodeWords(h.get("subject")), 998)
	w.p.Date = date(h.get("date"))
	w.p.MessageID = messageID(h.get("message-id"))
	w.p.InReplyTo = messageIDs(h.get("in-reply-to"))
	w.p.References = messageIDs(h.get("references"))
	w.p.Results = h.all("authentication-results")
	w.p.Received = len(h.all("received"))
	for _, d := range h.all("delivered-to") {
		if a := canonicalAddress(strings.Trim(d, "<> ")); a != "" {
			w.p.Delivered = append(w.p.Delivered, a)
		}
	}
	if len(h) == 0 || !plausible(h) {
		w.note("no_header")
		w.p.Flags.Unreadable = true
		return w.done()
	}
	w.part(h, body, 0, false)
	w.classify(h)
	return w.done()
}

// plausible reports whether a header is one of a message and not an accident.
func plausible(h header) bool {
	for _, name := range []string{"from", "to", "subject", "date", "message-id", "received", "return-path", "content-type", "sender"} {
		if h.get(name) != "" {
			return true
		}
	}
	return false
}

func first(m []crm.Mailbox) crm.Mailbox {
	if len(m) == 0 {
		return crm.Mailbox{}
	}
	return m[0]
}

// walker goes through the parts of one message.
type walker struct {
	ctx    context.Context
	limits Limits
	p      Parsed
	parts  int
	text   strings.Builder
	html   strings.Builder
	odd    map[string]bool
}

// note keeps a code of what is odd.
func (w *walker) note(code string) {
	if !w.odd[code] {
		w.odd[code] = true
		w.p.Problems = append(w.p.Problems, code)
	}
}

func (w *walker) truncated(code string) {
	w.note(code)
	w.p.Flags.Truncated = true
}

func (w *walker) done() Parsed {
	w.p.Text = strings.TrimSpace(w.text.String())
	w.p.HTML = w.html.String()
	if w.p.Text == "" && w.p.HTML != "" {
		w.p.Text = strings.TrimSpace(html2text.HTML2TextWithOptions(w.p.HTML, html2text.WithUnixLineBreaks()))
		if len(w.p.Text) > w.limits.Text {
			w.p.Text = clip(w.p.Text, w.limits.Text)
			w.truncated("long_text")
		}
	}
	slices.Sort(w.p.Problems)
	return w.p
}

// part reads one part, depth levels down; alternative says that it is one of
// several forms of the same.
func (w *walker) part(h header, body []byte, depth int, alternative bool) {
	w.parts++
	switch {
	case w.ctx.Err() != nil:
		w.truncated("too_slow")
		return
	case w.parts > w.limits.Parts:
		w.truncated("too_many_parts")
		return
	case depth > w.limits.Depth:
		w.truncated("too_deep")
		return
	}
	contentType := h.get("content-type")
	t, params := mediaType(contentType)
	if t == "" {
		if contentType != "" {
			w.note("bad_content_type")
		}
		t = "text/plain"
	}
	disposition, dparams := mediaType("x/" + strings.TrimSpace(h.get("content-disposition")))
	disposition = strings.TrimPrefix(disposition, "x/")
	if strings.HasPrefix(t, "multipart/") {
		w.multipart(t, params, h, body, depth)
		return
	}
	data, ok := decodeTransfer(body, h.get("content-transfer-encoding"))
	if !ok {
		w.note("bad_encoding")
	}
	name := fileName(dparams["filename"], params["name"])
	id := messageID(h.get("content-id"))
	switch {
	case t == "message/rfc822" || t == "message/global":
		w.forwarded(data, name, depth)
		return
	case t == "message/delivery-status" || t == "message/global-delivery-status":
		w.deliveryStatus(data)
		return
	case t == "text/rfc822-headers" || t == "message/rfc822-headers":
		w.originalHeaders(data)
		return
	case t == "message/partial" || t == "message/external-body":
		w.note("partial")
	case t == "application/pgp-encrypted":
		w.p.Flags.Encrypted = true
		return
	case t == "application/pgp-signature" || t == "application/pkcs7-signature" || t == "application/x-pkcs7-signature":
		w.p.Flags.Signed = true
	case t == "application/pkcs7-mime" || t == "application/x-pkcs7-mime":
		if strings.EqualFold(params["smime-type"], "signed-data") {
			w.p.Flags.Signed = true
		} else {
			w.p.Flags.Encrypted = true
		}
	case t == "application/ms-tnef" || t == "application/vnd.ms-tnef" || strings.EqualFold(name, "winmail.dat"):
		if w.tnef(data) {
			return
		}
	}
	if strings.HasPrefix(t, "text/") && disposition != "attachment" && (name == "" || t != "text/calendar" && depth == 0) {
		switch t {
		case "text/html":
			w.addHTML(toText(data, params["charset"]))
			return
		case "text/calendar":
			w.calendar(data, params["charset"], name)
			return
		case "text/plain", "text/enriched", "text/markdown", "text/x-amp-html":
			if t == "text/x-amp-html" {
				return // an active form of what the other alternatives say
			}
			w.addText(toText(data, params["charset"]), alternative)
			return
		}
	}
	w.file(File{Name: name, Declared: t, ContentID: id, Inline: disposition == "inline" || disposition == "" && id != "", Data: data})
}

// file keeps a part as a file.
func (w *walker) file(f File) {
	f.Detected = detect(f)
	if f.Name == "" {
		f.Name = fmt.Sprintf("part-%d%s", len(w.p.Files)+1, extension(f.Detected))
	}
	w.p.Files = append(w.p.Files, f)
}

// detect tells the type of content by its bytes; the declared type is believed
// only among kinds of text and of archives, which bytes do not tell apart.
func detect(f File) string {
	t, _, _ := strings.Cut(http.DetectContentType(f.Data), ";")
	switch {
	case len(f.Data) == 0:
		return "application/x-empty"
	case bytes.HasPrefix(f.Data, []byte("MZ")):
		return "application/x-dosexec"
	case bytes.HasPrefix(f.Data, []byte("\x7fELF")):
		return "application/x-elf"
	case bytes.HasPrefix(f.Data, []byte("PK\x03\x04")) && (strings.HasPrefix(f.Declared, "application/vnd.openxmlformats") || strings.HasPrefix(f.Declared, "application/vnd.oasis")):
		return f.Declared
	case t == "text/plain" && strings.HasPrefix(f.Declared, "text/") && f.Declared != "text/html":
		return f.Declared
	case t == "text/plain" && f.Declared == "message/rfc822":
		return f.Declared
	case t == "application/octet-stream" && (f.Declared == "application/pkcs7-mime" || f.Declared == "application/pkcs7-signature" || f.Declared == "application/ms-tnef"):
		return f.Declared
	}
	return t
}

func extension(t string) string {
	switch t {
	case "text/plain":
		return ".txt"
	case "text/html":
		return ".html"
	case "text/calendar":
		return ".ics"
	case "image/jpeg":
		return ".jpg"
	case "image/png":
		return ".png"
	case "image/gif":
		return ".gif"
	case "application/pdf":
		return ".pdf"
	case "message/rfc822":
		return ".eml"
	}
	return ".bin"
}

// fileName makes the first name given safe to show and to save under: no folders,
// no control characters, no characters that turn the direction of reading.
func fileName(names ...string) string {
	for _, n := range names {
		n = decodeWords(n)
		n = path.Base(strings.ReplaceAll(n, `\`, "/"))
		n = strings.Map(func(r rune) rune {
			if strings.ContainsRune(`<>:"|?*`, r) {
				return '_'
			}
			return r
		}, n)
		n = strings.TrimRight(strings.TrimSpace(n), ". ")
		if n == "" || n == "/" || n == "." || n == ".." {
			continue
		}
		if len(n) > 150 {
			ext := clip(path.Ext(n), 20)
			n = clip(n, 150-len(ext)) + ext
		}
		return n
	}
	return ""
}

func (w *walker) addText(s string, alternative bool) {
	switch {
	case strings.Contains(s, "-----BEGIN PGP MESSAGE-----"):
		w.p.Flags.Encrypted = true
	case strings.Contains(s, "-----BEGIN PGP SIGNED MESSAGE-----"):
		w.p.Flags.Signed = true
	}
	if alternative && w.text.Len() > 0 && strings.TrimSpace(s) == "" {
		return
	}
	w.append(&w.text, plain(s), w.limits.Text, "long_text")
}

func (w *walker) addHTML(s string) { w.append(&w.html, s, w.limits.HTML, "long_html") }

func (w *walker) append(to *strings.Builder, s string, most int, code string) {
	if s == "" {
		return
	}
	if to.Len() > 0 {
		s = "\n" + s
	}
	if room := most - to.Len(); len(s) > room {
		s = clip(s, max(room, 0))
		w.truncated(code)
	}
	to.WriteString(s)
}

// plain makes text with Unix line ends and without characters that do something.
func plain(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t':
			return r
		case r == '\r':
			return '\n'
		case r < ' ', r == 0x7f, r >= 0x80 && r < 0xa0:
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
}
