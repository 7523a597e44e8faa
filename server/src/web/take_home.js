// What the page would ask a server for is in this file. Everything else is as it would be while the server is away.
const unpack = async (element) => {
  const bytes = Uint8Array.from(atob(element.textContent), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream();
  return element.dataset.packed ? stream.pipeThrough(new DecompressionStream(element.dataset.packed)) : stream;
};
window.fetch = async (asked) => {
  const name = String(asked.url ?? asked).split("?")[0].split("/").pop();
  const element = document.querySelector(`script[data-file="${CSS.escape(name)}"]`);
  if (!element) throw new TypeError("there is no server");
  return new Response(await unpack(element), { headers: { "content-type": "application/wasm" } });
};
window.EventSource = class extends EventTarget {
  readyState = 0;
  close() {}
};
