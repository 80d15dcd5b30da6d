package email

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"net"
	"strings"
	"time"

	"example.org/c3i/crm"
)

// Clamd scans files with a clamd over its INSTREAM command. The zero value scans
// nothing.
type Clamd struct {
	// Addr is host:port, or the path of a unix socket.
	Addr string
	// Time bounds one scan; 30 seconds if zero.
	Time time.Duration
}

// Scan never fails: a scanner that is away, or an answer that is not understood,
// is ScanFailed, and what was not scanned is then not given out.
func (c Clamd) Scan(ctx context.Context, data []byte) crm.ScanResult {
	if c.Addr == "" {
		return crm.NotScanned
	}
	if c.Time == 0 {
		c.Time = 30 * time.Second
	}
	network := "tcp"
	if strings.HasPrefix(c.Addr, "/") {
		network = "unix"
	}
	ctx, cancel := context.WithTimeout(ctx, c.Time)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, c.Addr)
	if err != nil {
		return crm.ScanFailed
	}
	defer func() { _ = conn.Close() }()
	deadline, _ := ctx.Deadline()
	_ = conn.SetDeadline(deadline)
	w := bufio.NewWriter(conn)
	_, _ = w.WriteString("zINSTREAM\x00")
	for chunk := range chunks(data, 64<<10) {
		var size [4]byte
		binary.BigEndian.PutUint32(size[:], uint32(len(chunk)))
		_, _ = w.Write(size[:])
		_, _ = w.Write(chunk)
	}
	_, _ = w.Write(make([]byte, 4))
	if w.Flush() != nil {
		return crm.ScanFailed
	}
	answer, err := bufio.NewReader(conn).ReadString(0)
	if err != nil {
		return crm.ScanFailed
	}
	switch answer = strings.TrimRight(answer, "\x00\n"); {
	case strings.HasSuffix(answer, " OK"):
		return crm.Clean
	case strings.HasSuffix(answer, " FOUND"):
		return crm.Infected
	}
	return crm.ScanFailed
}

func chunks(b []byte, n int) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		r := bytes.NewReader(b)
		buf := make([]byte, n)
		for {
			k, _ := r.Read(buf)
			if k == 0 || !yield(buf[:k]) {
				return
			}
		}
	}
}
