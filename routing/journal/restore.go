package journal

import (
	"bytes"
	"fmt"

	"example.org/c3i/routing"
)

// Restore makes the engine a snapshot was taken of, with the plan in force and
// its source, nil and empty when there was none. It checks the state's hash.
func Restore(s Snapshot, compile Compile) (e *routing.Engine, p *routing.Plan, source string, err error) {
	version, source, err := routing.SnapshotPlan(s.State)
	if err != nil {
		return nil, nil, "", err
	}
	if source != "" || version != 0 {
		if p, err = compile(version, source); err != nil {
			return nil, nil, "", fmt.Errorf("journal: the plan of snapshot %d: %w", s.Seq, err)
		}
	}
	if e, err = routing.Restore(s.State, p); err != nil {
		return nil, nil, "", err
	}
	if h := e.Hash(); !bytes.Equal(h[:], s.Hash) {
		return nil, nil, "", fmt.Errorf("journal: snapshot %d does not have the hash it was saved with", s.Seq)
	}
	return e, p, source, nil
}
