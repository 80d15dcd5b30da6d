package email

import "time"

// Limits bound what one message may make the parser do. What is beyond a limit
// is left out and the message flagged as truncated; the raw message stays whole.
type Limits struct {
	// Depth is how deeply parts may be nested, Parts how many there may be.
	Depth, Parts int
	// Text and HTML bound what is kept of either, in bytes.
	Text, HTML int
	// Time bounds the parsing of one message.
	Time time.Duration
}

// DefaultLimits suit a desk.
var DefaultLimits = Limits{Depth: 10, Parts: 500, Text: 256 << 10, HTML: 2 << 20, Time: 10 * time.Second}
