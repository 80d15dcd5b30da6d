package email

import (
	"bytes"
	"strings"
)

// recipientsReported bounds the recipients read from one delivery report.
const recipientsReported = 100

func (w *walker) report() {
	if w.p.Report == nil {
		w.p.Report = &DeliveryReport{}
	}
}

// deliveryStatus reads the machine's part of a delivery report (RFC 3464): groups
// of fields, of which the first is about the message and each other about one
// recipient.
func (w *walker) deliveryStatus(data []byte) {
	w.p.Flags.Bounce = true
	w.report()
	w.p.Report.Recipients = append(w.p.Report.Recipients, parseStatus(data)...)
	if n := len(w.p.Report.Recipients); n > recipientsReported {
		w.p.Report.Recipients = w.p.Report.Recipients[:recipientsReported]
	}
}

func parseStatus(data []byte) []RecipientReport {
	var out []RecipientReport
	for rest := data; len(rest) > 0 && len(out) < recipientsReported; {
		rest = bytes.TrimLeft(rest, "\r\n\t ")
		h, next := splitHeader(rest)
		if len(h) == 0 {
			// No field: step over one line.
			if _, next = cutLine(rest); len(next) == len(rest) {
				break
			}
		}
		rest = next
		action := strings.ToLower(oneLine(h.get("action")))
		address := typed(nonEmpty(h.get("final-recipient"), h.get("original-recipient")))
		if action == "" && address == "" {
			continue
		}
		out = append(out, RecipientReport{
			Address: canonicalAddress(strings.Trim(address, "<>")), Action: clip(action, 40), Status: statusCode(h.get("status")),
			Diagnostic: clip(oneLine(decodeWords(typed(h.get("diagnostic-code")))), 500),
		})
	}
	return out
}

// typed takes the "rfc822;" or "smtp;" off a field.
func typed(s string) string {
	if _, v, ok := strings.Cut(s, ";"); ok {
		return strings.TrimSpace(v)
	}
	return strings.TrimSpace(s)
}

// statusCode is a status such as 5.1.1, or nothing when it is none.
func statusCode(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), " ")
	if len(s) < 5 || len(s) > 11 || s[1] != '.' || !strings.Contains("245", s[:1]) || strings.Trim(s, "0123456789.") != "" {
		return ""
	}
	return s
}

// originalHeaders reads which message a report is about.
func (w *walker) originalHeaders(data []byte) {
	if h, _ := splitHeader(bytes.TrimLeft(data, "\r\n")); w.p.Report != nil && w.p.Report.Original == "" {
		w.p.Report.Original = messageID(h.get("message-id"))
	}
}

// failed tells the worst a report says: whether anything failed for good, and
// what the other server said of it.
func (r *DeliveryReport) worst() (action, detail string) {
	rank := map[string]int{"failed": 4, "delayed": 3, "relayed": 2, "expanded": 2, "delivered": 1}
	for _, one := range r.Recipients {
		a := one.Action
		if a == "failed" && strings.HasPrefix(one.Status, "4.") {
			a = "failed" // given up after trying: permanent all the same
		}
		if rank[a] > rank[action] {
			action = a
			detail = strings.TrimSpace(nonEmpty(one.Diagnostic, one.Status))
		}
	}
	return action, detail
}
