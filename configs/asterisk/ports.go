package asterisk

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

// PortTakenError says that another program listens where Asterisk should.
type PortTakenError struct {
	Purpose string // "ARI" or "SIP"
	Network string // "tcp" or "udp"
	Address string // host:port
	Field   string // of Settings
}

// Error is a sentence for people.
func (e *PortTakenError) Error() string {
	return fmt.Sprintf("%s port %s (%s) is taken by another program: stop that program, or choose another port for Asterisk's %s", e.Purpose, e.Address, e.Network, e.Field)
}

// claimPorts replaces ports 0 by free ones and checks that the others are free. Asterisk itself would start
// without its port and say so only in its log.
func claimPorts(ctx context.Context, s *Settings) error {
	if err := claim(ctx, "ARI", "HTTPPort", s.HTTPBind, &s.HTTPPort, "tcp"); err != nil {
		return err
	}
	return claim(ctx, "SIP", "SIPPort", s.SIPBind, &s.SIPPort, "tcp", "udp")
}

func claim(ctx context.Context, purpose, field, host string, port *int, networks ...string) error {
	if *port != 0 {
		return probe(ctx, purpose, field, host, *port, networks)
	}
	const tries = 20
	var err error
	for range tries {
		var free int
		if free, err = freePort(ctx, host, networks[0]); err != nil {
			break
		}
		if err = probe(ctx, purpose, field, host, free, networks); err == nil {
			*port = free
			return nil
		}
	}
	return fmt.Errorf("finding a free port for Asterisk's %s: %w", purpose, err)
}

func freePort(ctx context.Context, host, network string) (int, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, network, net.JoinHostPort(host, "0"))
	if err != nil {
		return 0, fmt.Errorf("listening on %s: %w", host, err)
	}
	_, text, err := net.SplitHostPort(l.Addr().String())
	if err := errors.Join(err, l.Close()); err != nil {
		return 0, fmt.Errorf("listening on %s: %w", host, err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("listening on %s: %w", host, err)
	}
	return port, nil
}

// probe listens for a moment on every network.
func probe(ctx context.Context, purpose, field, host string, port int, networks []string) error {
	address := net.JoinHostPort(host, strconv.Itoa(port))
	for _, network := range networks {
		var (
			config net.ListenConfig
			closer interface{ Close() error }
			err    error
		)
		if network == "udp" {
			closer, err = config.ListenPacket(ctx, network, address)
		} else {
			closer, err = config.Listen(ctx, network, address)
		}
		if errors.Is(err, syscall.EADDRINUSE) {
			return &PortTakenError{Purpose: purpose, Network: network, Address: address, Field: field}
		}
		if err == nil {
			err = closer.Close()
		}
		if err != nil {
			return fmt.Errorf("trying Asterisk's %s port %s (%s): %w", purpose, address, network, err)
		}
	}
	return nil
}
