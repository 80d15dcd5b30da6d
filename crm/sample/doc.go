// Package sample invents people, their contacts and their reports, for trying
// C3i and for measuring it. What it makes is believable and nobody's: names are
// put together from lists of common ones, numbers are those that Ofcom keeps for
// drama (and, when these are used up, lie under a country code nobody has),
// addresses are at example domains, postcodes in an area that does not exist. The
// same seed makes the same world.
package sample
