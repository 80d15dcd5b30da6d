package redistest

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// Cluster starts a cluster of one node that has every slot, and returns a client
// on it. The server refuses what a larger cluster would: commands and scripts
// whose keys lie in different slots, and scripts that touch keys they were not
// given. It listens on loopback, because a node of a cluster needs a port.
func Cluster(t testing.TB) *redis.ClusterClient {
	t.Helper()
	port, bus := freePort(t), freePort(t)
	s := launch(t, "--port", fmt.Sprint(port), "--bind", "127.0.0.1", "--cluster-enabled", "yes", "--cluster-port", fmt.Sprint(bus))
	one := s.Client()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := one.ClusterAddSlotsRange(ctx, 0, 16383).Err(); err != nil {
		t.Fatalf("give the node its slots: %v", err)
	}
	for {
		info, err := one.ClusterInfo(ctx).Result()
		if err == nil && len(info) > 16 && info[:16] == "cluster_state:ok" {
			break
		}
		select {
		case <-ctx.Done():
			t.Fatalf("the cluster is not ready: %s, %v", info, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
	c := redis.NewClusterClient(&redis.ClusterOptions{
		Addrs: []string{fmt.Sprintf("127.0.0.1:%d", port)}, Protocol: 3, DisableIdentity: true, MaintNotificationsConfig: MaintOff(),
	})
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("close the test client: %v", err)
		}
	})
	return c
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	addr, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatalf("listening on %s", l.Addr())
	}
	return addr.Port
}
