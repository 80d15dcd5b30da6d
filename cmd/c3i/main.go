// Command c3i is the contact centre of a police service for everything that is
// not an emergency. `c3i up` runs all of it on one machine.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"
)

func main() {
	os.Exit(mainCode())
}

func mainCode() int {
	redis.SetLogger(redisLog{zerolog.Nop()}) // until there is a log; errors are told in any case
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	second := make(chan struct{})
	go func() {
		<-signals
		cancel()
		<-signals
		close(second)
	}()
	return run(context.WithValue(ctx, hurryKey{}, (<-chan struct{})(second)), os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
}

type hurryKey struct{}

// hurry is closed when the person asked a second time to stop.
func hurry(ctx context.Context) <-chan struct{} {
	c, _ := ctx.Value(hurryKey{}).(<-chan struct{})
	return c
}
