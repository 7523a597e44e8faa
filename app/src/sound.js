// Soft ticks. There is no sound until somebody wants it: browsers ask for a gesture, too.

let context;

/** A short, quiet tone. */
export function tick(hertz) {
  context ??= new AudioContext();
  const at = context.currentTime;
  const tone = context.createOscillator();
  const loudness = context.createGain();
  tone.frequency.value = hertz;
  loudness.gain.setValueAtTime(0.05, at);
  loudness.gain.exponentialRampToValueAtTime(0.0001, at + 0.09);
  tone.connect(loudness).connect(context.destination);
  tone.start(at);
  tone.stop(at + 0.1);
}
