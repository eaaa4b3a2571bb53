package main

import (
	"errors"
	"flag"
	"os"
	"sync"
	"time"
)

// OpenResult is what an open loop saw. Latency counts from the moment a request was due, so a
// stall of the server is charged to every request that fell due during it.
type OpenResult struct {
	Due     int            `json:"due"`
	Done    int            `json:"done"`
	Seconds float64        `json:"seconds"`
	Errors  map[string]int `json:"errors"`
	Latency Latency        `json:"latency"`
	// Lag is how late the generator itself was in releasing requests.
	Lag Latency `json:"lag"`
}

type worker struct {
	client    Client
	latencies []time.Duration
	errors    map[string]int
	done      int
}

type arrival struct {
	due     time.Time
	request Request
}

func open(arguments []string) {
	flags := flag.NewFlagSet("open", flag.ExitOnError)
	address := flags.String("address", "", "host:port of the server")
	file := flags.String("requests", "", "the request file")
	rate := flags.Float64("rate", 100, "requests per second")
	seconds := flags.Float64("seconds", 5, "how long requests fall due")
	conns := flags.Int("connections", 256, "how many connections at most")
	patience := flags.Duration("timeout", 10*time.Second, "when an answer counts as an error")
	flags.Parse(arguments)

	count := int(*rate * *seconds)
	// As many places as arrivals: releasing a request never waits for the server.
	queue := make(chan arrival, count)
	workers := make([]*worker, *conns)
	var running sync.WaitGroup
	for i := range workers {
		workers[i] = &worker{client: Client{address: *address}, errors: map[string]int{}}
		running.Add(1)
		go func() { defer running.Done(); workers[i].serve(queue, *patience) }()
	}
	start := time.Now()
	lags := release(queue, readRequests(*file), start, *rate, count)
	running.Wait()
	result := OpenResult{Due: count, Seconds: time.Since(start).Seconds(), Lag: latency(lags)}
	result.Errors = map[string]int{}
	var all []time.Duration
	for _, w := range workers {
		all = append(all, w.latencies...)
		result.Done += w.done
		for name, n := range w.errors {
			result.Errors[name] += n
		}
	}
	result.Latency = latency(all)
	report(result)
}

func release(queue chan arrival, requests []Request, start time.Time, rate float64, count int) []time.Duration {
	lags := make([]time.Duration, count)
	for i := range count {
		due := start.Add(time.Duration(float64(i) / rate * float64(time.Second)))
		time.Sleep(time.Until(due))
		lags[i] = time.Since(due)
		queue <- arrival{due, requests[i%len(requests)]}
	}
	close(queue)
	return lags
}

func (w *worker) serve(queue chan arrival, patience time.Duration) {
	for next := range queue {
		left := patience - time.Since(next.due)
		if left <= 0 {
			// Its time ran out while it waited for a connection.
			w.errors["timeout"]++
			w.latencies = append(w.latencies, patience)
			continue
		}
		err := w.client.ask(next.request, left)
		// A failed request counts with the time it took, or a server that fails fast looks quick
		// and one that times out looks idle.
		w.latencies = append(w.latencies, time.Since(next.due))
		if err == nil {
			w.done++
		} else {
			w.errors[kind(err)]++
		}
	}
	w.client.close()
}

func kind(err error) string {
	switch {
	case errors.Is(err, errAnswer):
		return "answer"
	case errors.Is(err, errStatus):
		return "status"
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "timeout"
	}
	return "connection"
}
