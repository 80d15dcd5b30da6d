package email

import (
	"strings"
)

// Mailbox is one address of ours.
type Mailbox struct {
	// Name names it in the plan's rules, as answers.mailbox.
	Name string
	// Address is where people write to.
	Address string
	// Aliases lead to the same mailbox.
	Aliases []string
	// SenderName is shown beside the address on what we send.
	SenderName string
	// Language is what its senders are taken to write when nothing else is known,
	// and the last choice for a receipt.
	Language string
	// Answers are further hints for the plan's rules.
	Answers map[string]string
	// Receipt says whether senders get an automatic receipt.
	Receipt bool
}

// Mailboxes finds a mailbox by address or name.
type Mailboxes struct {
	list   []Mailbox
	byAddr map[string]int
	byName map[string]int
}

// NewMailboxes indexes mailboxes; the first is the one that is written from when
// no other is named.
func NewMailboxes(list []Mailbox) Mailboxes {
	m := Mailboxes{list: list, byAddr: map[string]int{}, byName: map[string]int{}}
	for i, b := range list {
		m.byName[b.Name] = i
		for _, a := range append([]string{b.Address}, b.Aliases...) {
			m.byAddr[canonicalAddress(a)] = i
		}
	}
	return m
}

// ByAddress finds the mailbox an address leads to; what follows a "+" in its local
// part does not matter.
func (m Mailboxes) ByAddress(address string) (Mailbox, bool) {
	a := canonicalAddress(address)
	i, ok := m.byAddr[a]
	if !ok {
		local, domain, _ := cutLast(a, "@")
		local, _, _ = strings.Cut(local, "+")
		if i, ok = m.byAddr[local+"@"+domain]; !ok {
			return Mailbox{}, false
		}
	}
	return m.list[i], true
}

// ByName finds a mailbox by its name; an empty name is the first.
func (m Mailboxes) ByName(name string) (Mailbox, bool) {
	if name == "" && len(m.list) > 0 {
		return m.list[0], true
	}
	i, ok := m.byName[name]
	if !ok {
		return Mailbox{}, false
	}
	return m.list[i], true
}
