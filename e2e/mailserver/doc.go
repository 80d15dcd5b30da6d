// Package mailserver starts private mail servers for tests and benchmarks: a real Postfix that
// hands over by LMTP, and a real Dovecot whose mailbox is read over IMAP. Each runs
// in a folder of its own, on loopback, and is ended with the test; the system's
// own mail servers are neither used nor touched.
package mailserver
