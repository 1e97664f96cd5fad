// Makes a photo small on the phone before it is sent or kept: the longest side 1600 points, as JPEG, the right way up.
// For other modules it is `plantroomShrink`; a form sent by the browser itself marks its field with `data-shrink`.

const LONGEST = 1600;
const QUALITY = 0.8;

async function shrink(file) {
  const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  const paint = canvas.getContext("2d");
  paint.fillStyle = "#fff";
  paint.fillRect(0, 0, canvas.width, canvas.height);
  paint.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
}

window.plantroomShrink = shrink;

// Sending waits until the photo is small. What cannot be read is sent as it is: the server says what is wrong with it.
document.addEventListener("change", (event) => {
  const field = event.target;
  if (field.dataset?.shrink === undefined || !field.files.length) return;
  field.making = (async () => {
    const file = field.files[0];
    try {
      const small = await shrink(file);
      if (small.size >= file.size || field.files[0] !== file) return;
      const chosen = new DataTransfer();
      chosen.items.add(new File([small], file.name.replace(/\.\w+$/, "") + ".jpg", { type: "image/jpeg" }));
      field.files = chosen.files;
    } catch (error) {
      console.debug("the photo is sent as it is", error);
    }
  })();
});

document.addEventListener("submit", async (event) => {
  const { target: form, submitter } = event;
  const making = [...form.querySelectorAll("input[data-shrink]")].map((field) => field.making).filter(Boolean);
  if (!making.length || form.dataset.small) return;
  event.preventDefault();
  await Promise.all(making);
  form.dataset.small = "yes";
  setTimeout(() => form.requestSubmit(submitter));  // a form cannot be sent while it is being sent
});
