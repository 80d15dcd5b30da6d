package agentdesk

// Bounds of what a desk can catch up on by deltas alone.
const (
	ringFrames = 128
	ringBytes  = 128 << 10
)

// ring keeps the last deltas of a desk, as sent.
type ring struct {
	frames [][]byte
	first  uint64 // sequence number of frames[0]
	bytes  int
}

// add keeps the frame numbered seq, which must follow the one before.
func (r *ring) add(seq uint64, frame []byte) {
	if len(r.frames) == 0 {
		r.first = seq
	}
	r.frames = append(r.frames, frame)
	r.bytes += len(frame)
	drop := 0
	for len(r.frames)-drop > ringFrames || (r.bytes > ringBytes && len(r.frames)-drop > 0) {
		r.bytes -= len(r.frames[drop])
		r.frames[drop] = nil
		drop++
	}
	r.frames = r.frames[drop:]
	r.first += uint64(drop)
}

// after returns the deltas numbered above seq, when every one of them is kept.
// last is the newest number given out.
func (r *ring) after(seq, last uint64) ([][]byte, bool) {
	switch {
	case seq > last:
		return nil, false // a position nobody was ever given
	case seq == last:
		return nil, true
	case len(r.frames) == 0 || seq+1 < r.first:
		return nil, false
	}
	return r.frames[seq+1-r.first:], true
}
