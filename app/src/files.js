// What only the browser can do with files: hand one out, take one in, and fill the clipboard.

export function save(name, type, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

export function fetch(address) {
  const link = document.createElement("a");
  link.href = address;
  link.download = "";
  link.click();
}

export function read(input, maxBytes, then) {
  const file = input.files?.[0];
  if (!file) return;
  if (file.size > maxBytes) then("", `The file has ${file.size >> 20} MB; more than ${maxBytes >> 20} MB are not opened.`);
  else file.text().then((text) => then(text, ""), () => then("", "The file cannot be read."));
  // The same file can be chosen once more.
  input.value = "";
}

export function copy(text, then) {
  const written = navigator.clipboard ? navigator.clipboard.writeText(text) : Promise.reject();
  written.then(() => then(true), () => then(false));
}
