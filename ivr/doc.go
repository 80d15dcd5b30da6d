// Package ivr runs the spoken front door: flows that callers move through by
// pressing keys, and the sessions of single calls.
//
// It is pure. A [Session] is told what happened ([Input]) and answers with what
// must now be done ([Effect]); it reads no clock, starts no goroutine and draws
// no random number, so the same inputs always give the same effects. Playing
// sound, timing and the call itself belong to the driver (package telephony).
//
// A [Flow] is a YAML graph of steps, checked as a whole when it is loaded: a
// flow that could strand a caller is refused with file, line and column. Words
// live in prompt files, one per language, gathered in a [Catalogue].
package ivr
