"""What connected agents cost the hub: connects, memory, dispatch latency, fan-out, CPU a command."""
