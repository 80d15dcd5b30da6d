package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"
	"golang.org/x/term"

	"example.org/c3i/configs"
)

// newLogger writes to w, in colour when that is a terminal.
func newLogger(c configs.Log, w io.Writer) zerolog.Logger {
	if c.Format == "console" {
		file, ok := w.(*os.File)
		colour := ok && term.IsTerminal(int(file.Fd())) && os.Getenv("NO_COLOR") == ""
		w = zerolog.ConsoleWriter{Out: w, TimeFormat: time.TimeOnly, NoColor: !colour}
	}
	level, err := zerolog.ParseLevel(c.Level)
	if err != nil {
		level = zerolog.InfoLevel
	}
	return zerolog.New(w).Level(level).With().Timestamp().Logger()
}

// captureLogs brings what libraries log for themselves into the log: Redis' client,
// and the standard logger, which the HTTP server uses.
func captureLogs(log zerolog.Logger) {
	redis.SetLogger(redisLog{log.With().Str("part", "redis").Logger()})
	slog.SetDefault(slog.New(zerolog.NewSlogHandler(log.With().Str("part", "library").Logger())))
}

// redisLog is at level debug: what matters of it comes back as an error as well.
type redisLog struct{ zerolog.Logger }

func (l redisLog) Printf(_ context.Context, format string, args ...any) {
	l.Debug().Msg(fmt.Sprintf(format, args...))
}
