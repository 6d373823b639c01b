// Moves a provider's stream to the client through `pump`, which sees every
// byte and says what the client gets. Returns how it stopped.
export async function run(body, writable, pump, signal) {
  const reader = body.getReader();
  const writer = writable.getWriter();
  let gone = false;
  const leave = () => {
    gone = true;
    reader.cancel().catch(() => {});
  };
  writer.closed.catch(leave);
  signal.addEventListener("abort", leave);
  let end = "closed";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done || gone) break;
      const out = pump.push(value);
      if (out.byteLength > 0) await writer.write(out);
    }
  } catch {
    end = "broken";
  }
  if (gone) end = "client gone";
  const last = pump.finish(end);
  try {
    if (!gone && last.byteLength > 0) await writer.write(last);
    await writer.close();
  } catch {
    // The client left at the very end: it has nothing to miss.
  }
}
