package ivr

import (
	"fmt"
	"slices"
	"strings"
)

// suggest gives "did you mean …?" for the nearest of the names, or lists them
// when there are few, or nothing.
func suggest(given string, names []string) string {
	sorted := slices.Clone(names)
	slices.Sort(sorted)
	best, distance := "", len(given)/3+2
	for _, n := range sorted {
		if d := editDistance(strings.ToLower(given), strings.ToLower(n), distance); d < distance {
			best, distance = n, d
		}
	}
	if best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	if len(sorted) > 0 && len(sorted) <= 12 {
		return "one of " + strings.Join(sorted, ", ")
	}
	return ""
}

// editDistance is Levenshtein's, given up at limit.
func editDistance(a, b string, limit int) int {
	if d := len(a) - len(b); d >= limit || -d >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return min(row[len(b)], limit)
}
