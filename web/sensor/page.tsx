export function SensorPage({ sensorId }: { sensorId: string; query: URLSearchParams }) {
  return <h1>{sensorId}</h1>;
}
