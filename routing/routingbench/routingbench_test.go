package routingbench_test

import (
	"testing"

	"example.org/c3i/routing/routingbench"
)

func TestRunMeasuresAWorkingCentre(t *testing.T) {
	r := routingbench.Run(50, 10, 100, 2000)
	if r.Events < 2000 || r.EventsPerSecond <= 0 || r.NsPerEvent <= 0 || r.CPUNsPerEvent <= 0 || r.AllocsPerEvent <= 0 {
		t.Fatalf("nothing was measured: %+v", r)
	}
}

func TestLoadKeepsTheQueueFull(t *testing.T) {
	l := routingbench.NewLoad(50, 10, 200)
	for range 20 {
		l.Drive(500)
		if n := l.Waiting(); n < 150 || n > 250 {
			t.Fatalf("%d contacts wait, want about 200: the measurement would be of something else", n)
		}
		if faults := l.Engine.Check(); len(faults) > 0 {
			t.Fatalf("the engine is at fault under load: %v", faults)
		}
	}
}
