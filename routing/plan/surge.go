package plan

import (
	"github.com/goccy/go-yaml/ast"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// surgeSection reads the overlays a supervisor may switch on.
func (b *builder) surgeSection(v value) {
	list, _ := b.r.entries(v)
	type setting struct {
		queue routing.QueueID
		what  string
	}
	first := map[setting]string{}
	for _, e := range list {
		b.name(e.keyAt, "surge", e.key)
		s := routing.Surge{Name: e.key, Label: e.key}
		m := b.r.fields(e.value, "label", "queues")
		if f, is := m["label"]; is {
			s.Label = b.r.label(f.value)
		}
		f, is := m["queues"]
		if !is {
			b.r.errorf(place{e.value.at.line, e.value.at.column, under(e.value.at.path, "queues")}, "missing_key", "the surge changes no queue: it has no \"queues\"")
		} else if queues, ok := b.r.entries(f.value); ok && len(queues) == 0 {
			b.r.errorf(f.value.at, "empty_section", "the surge changes no queue")
		} else {
			for _, qe := range queues {
				if _, declared := b.queueAt[qe.key]; !declared {
					b.r.unknown(qe.keyAt, "unknown_queue", "queue", qe.key, b.queues)
					continue
				}
				over, changed := b.surgeQueue(qe)
				s.Queues = append(s.Queues, over)
				for _, what := range changed {
					key := setting{over.Queue, what}
					if other, again := first[key]; again {
						b.r.warnf(qe.keyAt, "surges_overlap", "surge %s changes %s here too: when both are on, %s wins", other, what, e.key)
					} else {
						first[key] = e.key
					}
				}
			}
		}
		b.doc.plan.Surges = append(b.doc.plan.Surges, s)
	}
}

// surgeQueue reads what a surge changes in a queue, and names it.
func (b *builder) surgeQueue(e entry) (over routing.SurgeQueue, changed []string) {
	over.Queue = routing.QueueID(e.key)
	m := b.r.fields(e.value, "answer_within", "overflow", "announce")
	if isMapping(e.value.node) && len(m) == 0 {
		b.r.errorf(e.value.at, "empty_section", "the surge changes nothing here: give answer_within, overflow or announce")
	}
	if f, is := m["answer_within"]; is {
		over.AnswerWithin = b.perChannel(f.value, contact.Second, 30*contact.Day)
		changed = append(changed, "answer_within")
	}
	if f, is := m["overflow"]; is {
		over.Overflow = b.overflow(over.Queue, f.value)
		changed = append(changed, "overflow")
	}
	if f, is := m["announce"]; is {
		over.Announce = b.announce(f.value)
		n, text := f.value.node.(*ast.StringNode)
		over.Silent = text && n.Value == "never"
		changed = append(changed, "announce")
	}
	return over, changed
}
