// Package ivr runs the spoken front door: flows that callers move through by
// pressing keys, and the sessions of single calls.
//
// It is pure. A [Session] is told what happened ([Input]) and answers with what
// must now be done ([Effect]); it reads no clock, starts no goroutine and draws
// no random number, so the same inputs always give the same effects. Playing
// sound, timing and the call itself belong to the driver (package telephony).
//
// Words live in prompt files, one per language, gathered in a [Catalogue].
// Package prompts turns them into sound.
//
// # Flows
//
// A flow is a YAML file, checked as a whole when it is loaded ([Load]): one that
// could strand a caller is refused with file, line and column.
//
//	flow: front-door        its name
//	start: welcome          the first step
//	safe: no-choice         where callers go who get no further
//	language: en            spoken until one is chosen; else that on the lowest key
//	timeout: 6s             how long a key is waited for, after the prompts
//	tries: 3                wrong keys and silences in one step before too_many
//	keys: {"9": emergency}  keys of the whole flow: they act at once, anywhere
//	prompts: {no_key: …}    other names for wrong_key, no_key, invalid, too_many
//	answers:                what is kept of the call; rules see answers.<name>
//	  menu:
//	    label: Calling to   the question in words, for the handler
//	    values: {crime: …}  each value in words; none if the caller keys it
//	steps:
//	  <name>: {<kind>: …, …}
//
// The kinds of steps, each with the fields it may have. Every kind may also set
// answers: "set: {menu: handler}".
//
//	say: [prompt, …]       speaks. next; interruptible (true); type_ahead (true)
//	menu: [prompt, …]      asks for one key. keys: {"1": step} or
//	                       {"1": {answer: value, next: step}}; answer; timeout;
//	                       tries; too_many (safe)
//	collect: [prompt, …]   asks for a number. answer; next; min (1) and max (32)
//	                       digits; end ("#") ends it; clear ("*") begins it anew;
//	                       between (4s) digits; check: luhn or mod97; empty: the
//	                       step for those who press only the end key; timeout;
//	                       tries; too_many (safe)
//	language: [prompt, …]  offers the languages, each in its own words, on the
//	                       keys of their prompt files. next; remembered: skip or
//	                       ask those whose language is known; timeout; tries;
//	                       too_many (safe)
//	branch: answer         chooses by an answer, or by language, dialled or cli.
//	                       when: {value: step}; else
//	route: queue           ends the IVR: the call goes to a queue, or, when none is
//	                       named, where the plan's rules say
//	callback: queue        as route, for callers who would rather be rung back: they are
//	                       asked on which number as soon as they have their place, and
//	                       wait like any other where the plan rings nobody back
//	transfer: destination  hands the call to a destination of the configuration.
//	                       failed (safe): the step if it cannot be reached
//	hangup: [prompt, …]    says goodbye and hangs up
//
// A prompt is a name, or {prompt: name, language: code} to speak it in another
// language than the caller's. The rules for keys are in the comment on
// [Session].
//
// # Waiting
//
// While a call waits, [Announcement] names what the caller hears of their position
// and wait, and [Callback] is the talk with those who would rather be rung back.
package ivr
