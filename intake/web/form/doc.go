// Package form is the public report form as data: a graph of pages, each asking
// one thing, and the words for it in each language. It is pure: what was typed
// and the time go in, answers and problems come out. Loading checks that every
// page can be reached, that every way through ends, and that every word is there
// in every language.
package form
