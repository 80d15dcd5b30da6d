package email

import (
	"strings"
)

// calendar keeps an invitation as a file, with what it says in words when the
// message has none.
func (w *walker) calendar(data []byte, charset, name string) {
	text := strings.ReplaceAll(toText(data, charset), "\r\n", "\n")
	text = strings.NewReplacer("\n ", "", "\n\t", "").Replace(text)
	var says []string
	inEvent := false
	for line := range strings.SplitSeq(clip(text, 64<<10), "\n") {
		key, value, ok := strings.Cut(line, ":")
		key, _, _ = strings.Cut(key, ";")
		switch {
		case !ok:
		case strings.EqualFold(key, "BEGIN"):
			inEvent = inEvent || strings.EqualFold(value, "VEVENT")
		case inEvent && len(says) < 8:
			if label := map[string]string{"SUMMARY": "What", "DTSTART": "Start", "DTEND": "End", "LOCATION": "Where", "DESCRIPTION": "Details"}[strings.ToUpper(key)]; label != "" {
				value = strings.NewReplacer(`\n`, " ", `\N`, " ", `\,`, ",", `\;`, ";", `\\`, `\`).Replace(value)
				says = append(says, label+": "+clip(oneLine(value), 500))
			}
		}
	}
	if w.text.Len() == 0 && len(says) > 0 {
		w.addText("Calendar invitation\n"+strings.Join(says, "\n"), false)
	}
	w.file(File{Name: nonEmpty(name, "invitation.ics"), Declared: "text/calendar", Data: data})
}
