package email

import (
	"strings"
)

// forwarded reads a message within a message: kept as a file, and its words
// shown below the others, since what was forwarded is often all there is.
func (w *walker) forwarded(data []byte, name string, depth int) {
	h, body := splitHeader(data)
	if w.p.Report != nil && w.p.Flags.Bounce {
		w.originalHeaders(data)
		w.file(File{Name: nonEmpty(name, "returned-message.eml"), Declared: "message/rfc822", Data: data})
		return
	}
	subject := decodeWords(h.get("subject"))
	if name == "" {
		name = fileName(clip(nonEmpty(subject, "forwarded"), 80) + ".eml")
	}
	w.file(File{Name: name, Declared: "message/rfc822", Data: data})
	if depth+1 > w.limits.Depth {
		w.truncated("too_deep")
		return
	}
	// The files of the forwarded message are within it; only its words are wanted.
	inner := walker{ctx: w.ctx, limits: w.limits, parts: w.parts, odd: map[string]bool{}}
	inner.part(h, body, depth+1, false)
	w.parts = inner.parts
	for code := range inner.odd {
		w.note(code)
	}
	in := inner.done()
	w.p.Flags.Truncated = w.p.Flags.Truncated || in.Flags.Truncated
	w.p.Flags.Encrypted = w.p.Flags.Encrypted || in.Flags.Encrypted
	var b strings.Builder
	b.WriteString("\n---------- Forwarded message ----------\n")
	for _, line := range [][2]string{{"From", decodeWords(h.get("from"))}, {"Date", oneLine(h.get("date"))}, {"Subject", subject}, {"To", decodeWords(h.get("to"))}} {
		if line[1] != "" {
			b.WriteString(line[0] + ": " + clip(line[1], 500) + "\n")
		}
	}
	b.WriteString("\n" + in.Text + "\n")
	w.append(&w.text, b.String(), w.limits.Text, "long_text")
}

func nonEmpty(s ...string) string {
	for _, v := range s {
		if v != "" {
			return v
		}
	}
	return ""
}
