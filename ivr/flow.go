package ivr

// Flow is a checked flow. It is immutable and safe for concurrent use by any
// number of sessions.
type Flow struct {
	name string
	hash string
}

// Name is the flow's name.
func (f *Flow) Name() string { return f.name }

// Hash is a fingerprint of the flow's source: equal for equal text.
func (f *Flow) Hash() string { return f.hash }

// Load reads and checks a flow. File is the name that problems carry. All
// problems are reported, in order of place; the flow is nil when there is any.
func Load(file string, src []byte, prompts *Catalogue) (*Flow, Problems) {
	return nil, nil
}
