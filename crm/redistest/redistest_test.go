package redistest_test

import (
	"context"
	"testing"
	"time"

	"example.org/c3i/crm/redistest"
)

func TestDataSurviveAKill(t *testing.T) {
	s := redistest.New(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	c := s.Client()
	if err := c.Set(ctx, "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	s.Kill()
	s.Start()
	if got, err := s.Client().Get(ctx, "k").Result(); err != nil || got != "v" {
		t.Fatalf("after a kill: %q, %v", got, err)
	}
}

func TestPauseHoldsAnswersBack(t *testing.T) {
	s := redistest.New(t)
	s.Pause()
	c := s.Client()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := c.Ping(ctx).Err(); err == nil {
		t.Fatal("a paused server answered")
	}
	s.Resume()
	if err := c.Ping(t.Context()).Err(); err != nil {
		t.Fatalf("after Resume: %v", err)
	}
}
