package email

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"strings"
	"time"

	"github.com/emersion/go-message/mail"

	"example.org/c3i/crm"
)

// draft is all that goes into the bytes of a message.
type draft struct {
	from, replyTo crm.Mailbox
	to, cc        []crm.Mailbox
	subject, text string
	messageID     string
	inReplyTo     []string
	references    []string
	date          time.Time
	language      string
	automatic     bool
	files         []draftFile
}

type draftFile struct {
	name, kind string
	data       []byte
}

// compose makes the bytes of a message. Whatever the values hold, no header field
// can be added through them: names, subject and ids are single lines by then, and
// are encoded.
func compose(d draft) ([]byte, error) {
	var h mail.Header
	h.SetDate(d.date)
	h.SetAddressList("From", []*mail.Address{address(d.from)})
	if d.replyTo.Address != "" {
		h.SetAddressList("Reply-To", []*mail.Address{address(d.replyTo)})
	}
	h.SetAddressList("To", addressList(d.to))
	if len(d.cc) > 0 {
		h.SetAddressList("Cc", addressList(d.cc))
	}
	h.SetSubject(oneLine(d.subject))
	h.SetMessageID(safeID(d.messageID))
	if ids := safeIDs(d.inReplyTo); len(ids) > 0 {
		h.SetMsgIDList("In-Reply-To", ids)
	}
	if ids := safeIDs(d.references); len(ids) > 0 {
		h.SetMsgIDList("References", ids)
	}
	if d.language != "" && isFieldName([]byte(d.language)) {
		h.Set("Content-Language", d.language)
	}
	h.Set("X-C3i-Sent", "1")
	if d.automatic {
		h.Set("Auto-Submitted", "auto-replied")
		h.Set("X-Auto-Response-Suppress", "All")
	}
	var b bytes.Buffer
	if len(d.files) == 0 {
		h.SetContentType("text/plain", map[string]string{"charset": "utf-8"})
		h.Set("Content-Transfer-Encoding", "quoted-printable")
		w, err := mail.CreateSingleInlineWriter(&b, h)
		if err != nil {
			return nil, fmt.Errorf("email: compose: %w", err)
		}
		if err := writeText(w, d.text); err != nil {
			return nil, err
		}
		return b.Bytes(), nil
	}
	w, err := mail.CreateWriter(&b, h)
	if err != nil {
		return nil, fmt.Errorf("email: compose: %w", err)
	}
	var th mail.InlineHeader
	th.SetContentType("text/plain", map[string]string{"charset": "utf-8"})
	th.Set("Content-Transfer-Encoding", "quoted-printable")
	part, err := w.CreateSingleInline(th)
	if err != nil {
		return nil, fmt.Errorf("email: compose: %w", err)
	}
	if err := writeText(part, d.text); err != nil {
		return nil, err
	}
	for _, f := range d.files {
		var ah mail.AttachmentHeader
		kind := f.kind
		if t, _, err := mime.ParseMediaType(kind); err != nil || strings.HasPrefix(t, "multipart/") || strings.HasPrefix(t, "message/") {
			kind = "application/octet-stream"
		}
		t, _, _ := mime.ParseMediaType(kind)
		ah.SetContentType(t, nil)
		ah.SetFilename(nonEmpty(fileName(f.name), "attachment.bin"))
		ah.Set("Content-Transfer-Encoding", "base64")
		part, err := w.CreateAttachment(ah)
		if err != nil {
			return nil, fmt.Errorf("email: compose: %w", err)
		}
		if _, err := part.Write(f.data); err != nil {
			return nil, fmt.Errorf("email: compose: %w", err)
		}
		if err := part.Close(); err != nil {
			return nil, fmt.Errorf("email: compose: %w", err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("email: compose: %w", err)
	}
	return b.Bytes(), nil
}

func writeText(w io.WriteCloser, text string) error {
	text = strings.ReplaceAll(plain(text), "\n", "\r\n")
	if _, err := io.WriteString(w, text); err != nil {
		return fmt.Errorf("email: compose: %w", err)
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("email: compose: %w", err)
	}
	return nil
}

func address(m crm.Mailbox) *mail.Address {
	return &mail.Address{Name: oneLine(m.Name), Address: canonicalAddress(m.Address)}
}

func addressList(list []crm.Mailbox) []*mail.Address {
	out := make([]*mail.Address, len(list))
	for i, m := range list {
		out[i] = address(m)
	}
	return out
}

// safeID keeps an id only when it can stand between brackets on one line.
func safeID(id string) string {
	for _, c := range []byte(id) {
		if c <= ' ' || c >= 0x7f || c == '<' || c == '>' {
			return ""
		}
	}
	return id
}

// safeIDs keeps the first id, which begins the thread, and the newest ones.
func safeIDs(ids []string) []string {
	var out []string
	for _, id := range ids {
		if s := safeID(id); s != "" {
			out = append(out, s)
		}
	}
	if len(out) > 20 {
		out = append(out[:1:1], out[len(out)-19:]...)
	}
	return out
}

// quoted puts an earlier message below an answer.
func quoted(m crm.Message, at time.Time) string {
	who := nonEmpty(m.From.Name, m.From.Address)
	var b strings.Builder
	fmt.Fprintf(&b, "\n\nOn %s, %s wrote:\n", at.Format("2 January 2006 at 15:04"), who)
	for line := range strings.SplitSeq(clip(strings.TrimSpace(m.Text), 32<<10), "\n") {
		b.WriteString("> " + line + "\n")
	}
	return b.String()
}
