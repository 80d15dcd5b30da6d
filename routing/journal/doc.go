// Package journal keeps the sequence of events the engine was fed, which is the
// whole truth about routing: re-stepping it gives every decision again.
//
// A journal holds no personal data. Events carry [contact.Facts] only: no
// number, no name, no text a caller wrote.
//
// One writer at a time holds a journal. It takes an epoch when it opens it, and
// an append under an older epoch is refused, so two processes can never both
// write (a fencing token, as in a lease).
package journal
