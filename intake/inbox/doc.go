// Package inbox carries what was received in writing from "durably accepted" to
// "in routing's hands". Accept returns once an item is durable, and the sender
// may be told so; Run then works each item until it is done, also after a crash
// in between, so that each accepted item arrives exactly once.
package inbox
