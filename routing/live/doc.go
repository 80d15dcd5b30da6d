// Package live drives the routing engine in real time.
//
// One goroutine owns the engine. Events submitted from anywhere enter one
// inbox and are stamped, stepped and handed on in the order they came. What the
// engine decides is released to the sinks once the event is in the journal; when
// the journal stalls, it is released anyway after a short bound and the records
// go to a spool on disk, because nothing may hold a call.
//
//	Submit → inbox → stamp(seq, at) → Step → journal → one queue per sink → Do
//
// A slow or failing sink delays nobody but itself.
package live
