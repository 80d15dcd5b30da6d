package email

import (
	"strings"
)

// hopsAllowed is how many Received fields a message may have before it is taken
// for one that goes round in circles.
const hopsAllowed = 40

// classify says who or what sent a message, and whether an automatic receipt may
// go to them: never to bounces, lists, programs or ourselves (RFC 3834).
func (w *walker) classify(h header) {
	f := &w.p.Flags
	lower := func(name string) string { return strings.ToLower(h.get(name)) }
	returnPath := strings.TrimSpace(h.get("return-path"))
	local, _, _ := cutLast(w.p.From.Address, "@")
	sender := strings.NewReplacer("-", "", "_", "", ".", "").Replace(local)
	switch {
	case sender == "mailerdaemon" || sender == "postmaster" && (returnPath == "<>" || w.p.Report != nil):
		f.Bounce = true
	case returnPath == "<>" && (strings.Contains(strings.ToLower(w.p.Subject), "undeliver") || strings.Contains(strings.ToLower(w.p.Subject), "delivery status notification") || h.get("x-failed-recipients") != ""):
		f.Bounce = true
	}
	if f.Bounce {
		w.report()
		if w.p.Report.Original == "" {
			w.p.Report.Original = nonEmpty(lastOf(w.p.References), lastOf(w.p.InReplyTo), quotedID(w.text.String()))
		}
		if len(w.p.Report.Recipients) == 0 {
			for _, a := range addresses(h.get("x-failed-recipients")) {
				w.p.Report.Recipients = append(w.p.Report.Recipients, RecipientReport{Address: a.Address, Action: "failed"})
			}
		}
	}
	f.List = h.get("list-id") != "" || h.get("list-unsubscribe") != "" || h.get("list-post") != "" || lower("precedence") == "list"
	auto, _, _ := strings.Cut(lower("auto-submitted"), ";")
	auto = strings.TrimSpace(auto)
	precedence := lower("precedence")
	f.Automatic = auto != "" && auto != "no" ||
		precedence == "bulk" || precedence == "junk" || precedence == "auto_reply" ||
		h.get("x-autoreply") != "" || h.get("x-autorespond") != "" || h.get("x-auto-reply") != "" || h.get("x-vacation") != "" ||
		lower("x-auto-response-suppress") == "all" && outOfOffice(w.p.Subject)
	suppress := lower("x-auto-response-suppress")
	switch {
	case f.Bounce:
		w.p.NoReceipt = "bounce"
	case f.List:
		w.p.NoReceipt = "list"
	case f.Automatic:
		w.p.NoReceipt = "automatic"
	case returnPath == "<>":
		w.p.NoReceipt = "null_sender"
	case w.p.Received > hopsAllowed:
		w.p.NoReceipt = "too_many_hops"
	case w.p.From.Address == "":
		w.p.NoReceipt = "no_sender"
	case strings.HasPrefix(sender, "noreply") || strings.HasPrefix(sender, "donotreply") || sender == "postmaster" || sender == "bounce" || sender == "bounces" || strings.HasPrefix(local, "owner-") || strings.HasSuffix(local, "-request"):
		w.p.NoReceipt = "no_reply_address"
	case strings.Contains(suppress, "all") || strings.Contains(suppress, "autoreply") || strings.Contains(suppress, "oof"):
		w.p.NoReceipt = "suppressed"
	case h.get(loopField) != "":
		w.p.NoReceipt = "loop"
	}
}

// loopField is in everything the outbox sends.
const loopField = "x-c3i-sent"

func outOfOffice(subject string) bool {
	s := strings.ToLower(subject)
	for _, w := range []string{"out of office", "automatic reply", "auto-reply", "autoreply", "odpowiedź automatyczna", "nieobecno"} {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

func lastOf(ids []string) string {
	if len(ids) == 0 {
		return ""
	}
	return ids[len(ids)-1]
}

// quotedID finds the Message-ID in the words of a bounce that keeps to no standard.
func quotedID(text string) string {
	for line := range strings.SplitSeq(text, "\n") {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.EqualFold(strings.TrimLeft(k, "> \t"), "message-id") {
			return messageID(strings.TrimSpace(v))
		}
	}
	return ""
}
