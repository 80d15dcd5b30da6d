package crm

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"example.org/c3i/contact"
)

// ViewLease is how long somebody counts as looking at a report after they last
// said so.
const ViewLease = 20 * contact.Second

// Viewer is somebody who has a report open.
type Viewer struct {
	Agent string          `json:"agent"`
	Since contact.Instant `json:"since"`
	Until contact.Instant `json:"until"` // when the lease ends unless it is renewed
}

// ViewReport says that an agent has a report open, for ViewLease, and returns all
// who have, the agent too, longest first, and the report's newest version, whoever
// saved it wherever; 0 when there is no such report. Call it again before the
// lease ends.
func (s *Store) ViewReport(ctx context.Context, id ReportID, agent string) ([]Viewer, uint64, error) {
	if agent == "" || strings.ContainsAny(agent, " \n") {
		return nil, 0, &FieldError{"agent", "form", "a sign-on name"}
	}
	now := contact.At(s.now())
	pairs, err := texts(s.eval(ctx, viewLua, []string{viewersKey(id), reportKey(id)}, agent, milliseconds(now), milliseconds(now.Add(ViewLease))))
	if err != nil || len(pairs) == 0 {
		return nil, 0, fmt.Errorf("crm: view report: %w", err)
	}
	version, err := strconv.ParseUint(pairs[0], 10, 64)
	if err != nil {
		return nil, 0, fmt.Errorf("crm: view report: %w", err)
	}
	pairs = pairs[1:]
	var out []Viewer
	for i := 0; i+1 < len(pairs); i += 2 {
		since, until, _ := strings.Cut(pairs[i+1], " ")
		from, err := strconv.ParseInt(since, 10, 64)
		if err != nil {
			return nil, 0, fmt.Errorf("crm: view report: %w", err)
		}
		to, err := strconv.ParseInt(until, 10, 64)
		if err != nil {
			return nil, 0, fmt.Errorf("crm: view report: %w", err)
		}
		out = append(out, Viewer{pairs[i], contact.Instant(from) * contact.Instant(contact.Millisecond), contact.Instant(to) * contact.Instant(contact.Millisecond)})
	}
	slices.SortFunc(out, func(a, b Viewer) int { return cmp.Or(cmp.Compare(a.Since, b.Since), cmp.Compare(a.Agent, b.Agent)) })
	return out, version, nil
}

// LeaveReport says that an agent closed a report.
func (s *Store) LeaveReport(ctx context.Context, id ReportID, agent string) error {
	if err := s.redis.HDel(ctx, viewersKey(id), agent).Err(); err != nil {
		return fmt.Errorf("crm: leave report: %w", err)
	}
	return nil
}
