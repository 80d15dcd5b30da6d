// Package ref makes, checks and reads the references people quote: the public
// receipt, incident and crime numbers, and the national arrest/summons and PNC
// numbers. Each carries a check letter, so that a slip of the pen or the tongue
// is found before anybody's record is opened. It is pure and a leaf.
package ref
