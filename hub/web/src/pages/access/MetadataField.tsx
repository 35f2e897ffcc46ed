import { TextArea } from "../../forms/fields";

interface Props {
  value: string;
  onChange: (value: string) => void;
  error?: string | undefined;
}

/** The provider's metadata: a file to open, or text to paste. */
export function MetadataField(props: Props) {
  return (
    <div className="stack-s">
      <TextArea
        code
        label="Metadata (XML)"
        rows={8}
        hint="Paste it, or open the file that the provider gives you."
        {...props}
      />
      <input
        type="file"
        aria-label="Open a metadata file"
        accept=".xml,application/samlmetadata+xml,text/xml"
        onChange={(event) => {
          void event.target.files?.[0]?.text().then(props.onChange);
        }}
      />
    </div>
  );
}
