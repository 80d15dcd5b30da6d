package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"example.org/c3i/configs"
)

func newUp() *cobra.Command {
	return withSettings(&cobra.Command{
		Use:   "up",
		Short: "Run everything on this machine",
		Long: `Starts a private Redis and a private Asterisk, then C3i on them, and prints where
to go. The first time it also makes sign-ons and prints their one-time passwords.

Ctrl-C drains: no new calls, live ones finish or are handed to the dialplan's
fallback, then everything started is stopped. A second Ctrl-C does not wait.

redis.addrs and asterisk.url use a Redis or an Asterisk that is already running.`,
		Example: `  c3i up
  c3i up --http.listen 127.0.0.1:9090 --data_dir /tmp/c3i`,
		Args: nothingElse,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := settings(cmd)
			if err != nil {
				return tell(newLogger(c.Log, cmd.ErrOrStderr()), c.Log, err)
			}
			return runApp(cmd.Context(), c, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	})
}

func newServe() *cobra.Command {
	return withSettings(&cobra.Command{
		Use:   "serve",
		Short: "Run C3i against a Redis and an Asterisk that are running",
		Long: `The same program as c3i up, for a site that runs its own Redis and Asterisk:
redis.addrs and asterisk.url are required. Asterisk needs the dialplan and the
ARI user that the templates in configs/asterisk show.`,
		Example: `  c3i serve --redis.addrs redis.example.org:6379 --asterisk.url http://192.0.2.5:8088 --asterisk.ari_password …`,
		Args:    nothingElse,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := settings(cmd)
			if err != nil {
				return tell(newLogger(c.Log, cmd.ErrOrStderr()), c.Log, err)
			}
			var missing []error
			if len(c.Redis.Addrs) == 0 {
				missing = append(missing, errors.New("redis.addrs: name the Redis to use; `c3i up` starts one of its own"))
			}
			if c.Asterisk.URL == "" {
				missing = append(missing, errors.New("asterisk.url: name the Asterisk to use; `c3i up` starts one of its own"))
			}
			if len(missing) > 0 {
				return tell(newLogger(c.Log, cmd.ErrOrStderr()), c.Log, usageError{errors.Join(missing...)})
			}
			return runApp(cmd.Context(), c, nil, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	})
}

// runApp starts everything, waits for ctx or a failure, and stops it again. In, if
// it is a terminal, is asked the first time whether to invent some records.
func runApp(ctx context.Context, c configs.Config, in io.Reader, out, errOut io.Writer) error {
	log := newLogger(c.Log, errOut)
	captureLogs(log)
	return tell(log, c.Log, runLogged(ctx, c, log, in, out))
}

// tell logs why C3i ends when the log is JSON, so that every line of standard
// error is.
func tell(log zerolog.Logger, c configs.Log, err error) error {
	if err == nil || c.Format != "json" {
		return err
	}
	log.WithLevel(zerolog.FatalLevel).Err(err).Msg("c3i ends")
	return loggedError{err}
}

func runLogged(ctx context.Context, c configs.Config, log zerolog.Logger, in io.Reader, out io.Writer) error {
	a, err := start(ctx, c, log)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		// Being asked to stop is no failure, whatever it broke off.
		_, err = fmt.Fprintln(out, "Stopped before C3i was ready; nothing is left running.")
		return err
	default:
		return err
	}
	if len(a.signOns) > 0 && wantsSample(in, out) {
		a.offerSample(ctx, out)
	}
	a.announce(out)
	cause := a.wait(ctx)
	return errors.Join(cause, a.stop(context.WithoutCancel(ctx), hurry(ctx), out))
}

// listen takes the address the desk is served on.
func listen(c configs.HTTP) (net.Listener, error) {
	l, err := net.Listen("tcp", c.Listen)
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("http.listen: %s is taken by another program: stop it, or choose another address with --http.listen", c.Listen)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("http.listen: %s may only be used by root: choose a port above 1023", c.Listen)
	}
	return nil, fmt.Errorf("http.listen: %w", err)
}

func scheme(c configs.HTTP) string {
	if c.TLSCert != "" {
		return "https"
	}
	return "http"
}

// browserHost turns "every address" into one a browser on this machine can use.
func browserHost(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(strings.TrimSpace(host), port)
}
