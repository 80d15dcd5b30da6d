// Package email is the receipt point for e-mail, day and night.
//
// In: a Receiver (SMTP, LMTP) or a Reader (IMAP) takes a message, keeps its bytes
// as a blob and has the inbox accept it; only then is the sender told so. The
// Worker then parses it, finds the thread and the person, files it in the CRM and
// submits a ContactArrived. Nothing received is dropped: what cannot be read is
// kept as it came and routed to a person.
//
// Out: the Outbox keeps replies and automatic receipts until a smart host took
// them, or in a local Maildir, and says on the message how far it got.
//
// Parse is pure. It never trusts a message: depth, parts, size and time are
// bounded, and what was read before an error is kept.
package email
