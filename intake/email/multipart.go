package email

import (
	"bytes"
	"strings"
)

// multipart reads the parts of a multipart body. A missing last boundary ends
// the last part at the end of what there is; a missing or wrong boundary
// parameter is made good from the body's first line that looks like one.
func (w *walker) multipart(t string, params map[string]string, h header, body []byte, depth int) {
	switch t {
	case "multipart/signed":
		w.p.Flags.Signed = true
	case "multipart/encrypted":
		w.p.Flags.Encrypted = true
	case "multipart/report":
		if strings.EqualFold(params["report-type"], "delivery-status") || params["report-type"] == "" {
			w.p.Flags.Bounce = true
			w.report()
		}
	}
	if enc := strings.ToLower(h.get("content-transfer-encoding")); enc == "base64" || enc == "quoted-printable" {
		w.note("encoded_multipart") // forbidden, and mostly not true
	}
	boundary := params["boundary"]
	if boundary == "" || !hasBoundary(body, boundary) {
		w.note("no_boundary")
		boundary = guessBoundary(body)
	}
	if boundary == "" {
		w.addText(toText(body, params["charset"]), false)
		return
	}
	parts, closed := splitParts(body, boundary, w.limits.Parts-w.parts+1)
	if !closed {
		w.note("unclosed_multipart")
	}
	for _, p := range parts {
		ph, pb := splitHeader(p)
		if len(ph) == 0 {
			pb = bytes.TrimLeft(pb, "\r\n")
		}
		w.part(ph, pb, depth+1, t == "multipart/alternative")
		if w.p.Flags.Truncated && (w.odd["too_many_parts"] || w.odd["too_slow"]) {
			break
		}
	}
}

func hasBoundary(body []byte, boundary string) bool {
	mark := []byte("--" + boundary)
	return bytes.HasPrefix(body, mark) || bytes.Contains(body, append([]byte("\n"), mark...))
}

// guessBoundary finds a line that begins with "--" and is followed by a header.
func guessBoundary(body []byte) string {
	rest := body
	for n := 0; len(rest) > 0 && n < 1000; n++ {
		var line []byte
		line, rest = cutLine(rest)
		line = bytes.TrimRight(line, " \t")
		if len(line) < 4 || len(line) > 80 || !bytes.HasPrefix(line, []byte("--")) {
			continue
		}
		if next, _ := cutLine(rest); bytes.HasPrefix(bytes.ToLower(next), []byte("content-")) {
			return string(line[2:])
		}
	}
	return ""
}

// splitParts cuts a body at its boundary lines, at most most parts. closed says
// that the last boundary was there.
func splitParts(body []byte, boundary string, most int) (parts [][]byte, closed bool) {
	mark := []byte("--" + boundary)
	start := -1
	for at := 0; at < len(body); {
		end := bytes.IndexByte(body[at:], '\n')
		next := len(body)
		if end >= 0 {
			next = at + end + 1
		}
		line := bytes.TrimRight(body[at:next], "\r\n \t")
		if bytes.HasPrefix(line, mark) {
			tail := line[len(mark):]
			if len(tail) == 0 || bytes.Equal(tail, []byte("--")) {
				if start >= 0 {
					parts = append(parts, trimEnd(body[start:at]))
				}
				if len(parts) >= most {
					return parts, false
				}
				// Some close too early and go on: what follows is a part too.
				start, closed = next, false
				if len(tail) > 0 {
					start, closed = -1, true
				}
			}
		}
		at = next
	}
	if start >= 0 && start <= len(body) {
		parts = append(parts, body[start:])
	}
	return parts, closed
}

// trimEnd takes away the line end that belongs to the boundary.
func trimEnd(b []byte) []byte {
	b = bytes.TrimSuffix(b, []byte("\n"))
	return bytes.TrimSuffix(b, []byte("\r"))
}
