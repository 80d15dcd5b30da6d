package main

import (
	"context"
	"math"

	"example.org/c3i/routing/routingbench"
)

// engineFigure is the engine's speed with one number of contacts waiting.
type engineFigure struct {
	routingbench.Result
	// Growth is how much dearer an event became since the row before, worked out for
	// a doubling of those waiting; 0 in the first row.
	Growth float64 `json:"growth_per_doubling"`
}

// measureEngine drives the engine alone, on one core. Of several tries the
// fastest counts: whatever else the machine does can only slow it.
func measureEngine(ctx context.Context, o options) ([]engineFigure, error) {
	figures := make([]engineFigure, len(o.waiting))
	for try := range o.engineTries {
		for i, waiting := range o.waiting {
			if err := ctx.Err(); err != nil {
				return nil, context.Cause(ctx)
			}
			o.progress("engine: %d handlers, %d waiting, try %d of %d", o.engineHandlers, waiting, try+1, o.engineTries)
			result := routingbench.Run(o.engineHandlers, o.profiles, waiting, o.events)
			if figures[i].EventsPerSecond < result.EventsPerSecond {
				figures[i].Result = result
			}
		}
	}
	for i := 1; i < len(figures); i++ {
		figures[i].Growth = perDoubling(figures[i-1].NsPerEvent, figures[i].NsPerEvent, figures[i-1].Waiting, figures[i].Waiting)
	}
	return figures, nil
}

// perDoubling is the factor by which a cost grows each time a size doubles, when
// it grows from cost a at size m to cost b at size n.
func perDoubling(a, b float64, m, n int) float64 {
	if a <= 0 || b <= 0 || m <= 0 || n <= 0 || m == n {
		return 0
	}
	return math.Pow(b/a, 1/math.Log2(float64(n)/float64(m)))
}
