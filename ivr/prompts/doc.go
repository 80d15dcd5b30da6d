// Package prompts turns prompt texts into sound that Asterisk can play. Each
// text is spoken by espeak-ng into a cache, unless a recording of it lies beside
// the prompt file; either way it is kept at 8 kHz and 16 kHz, so that Asterisk
// has no resampling to do on a call.
package prompts
