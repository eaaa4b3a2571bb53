// Load generates what wrk cannot: requests at a constant rate whatever the server does, thousands
// of open streams, and the outside world that contenders call. It prints JSON.
//
//	load open     an open loop: latency counts from the moment a request was due
//	load streams  many open streams, and the latency of what is posted to them
//	load stub     the web pages and the NATS service that contenders call
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"time"
)

func main() {
	commands := map[string]func([]string){"open": open, "streams": streams, "stub": stub}
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fail("usage: load open|streams|stub [options]")
	}
	commands[os.Args[1]](os.Args[2:])
}

func fail(text any) {
	fmt.Fprintln(os.Stderr, "load:", text)
	os.Exit(1)
}

func report(thing any) {
	if err := json.NewEncoder(os.Stdout).Encode(thing); err != nil {
		fail(err)
	}
}

// Latency in milliseconds, with nothing averaged away.
type Latency struct {
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
	Max  float64 `json:"max"`
}

func latency(all []time.Duration) Latency {
	if len(all) == 0 {
		return Latency{}
	}
	sort.Slice(all, func(i, j int) bool { return all[i] < all[j] })
	at := func(q float64) float64 {
		index := int(q * float64(len(all)))
		return float64(all[min(index, len(all)-1)].Microseconds()) / 1000
	}
	return Latency{at(0.5), at(0.9), at(0.99), at(0.999), at(1)}
}
