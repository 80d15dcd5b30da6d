package plan

import "strings"

// nearest returns the known name closest to a misspelt one, or nothing when
// none is near enough to be a likely slip. Ties go to the earlier name.
func nearest(name string, known []string) string {
	best, distance := "", 1+max(1, min(3, (len(name)+2)/3))
	for _, k := range known {
		if len(name) >= 3 && strings.HasPrefix(k, strings.ToLower(name)) {
			return k
		}
		if d := editDistance(strings.ToLower(name), strings.ToLower(k)); d < distance {
			best, distance = k, d
		}
	}
	return best
}

// editDistance counts insertions, deletions, replacements and swaps of
// neighbours (optimal string alignment).
func editDistance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return max(len(a), len(b))
	}
	var prev2, prev, row [65]int
	for j := range len(b) + 1 {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], prev2[j-2]+1)
			}
		}
		prev2, prev = prev, row
	}
	return prev[len(b)]
}

// Nearest returns the known name closest to a misspelt one, or nothing when none
// is near enough to be a likely slip.
func Nearest(name string, known []string) string { return nearest(name, known) }
