# SPDX-License-Identifier: MIT
# Sourced: sets $ort to a python that has onnxruntime, onnx and numpy, made once under .cache/venv.
need python3-venv
ort=.cache/venv/bin/python
if ! "$ort" -c 'import onnxruntime, onnx, numpy' 2>/dev/null; then
	echo "installing ONNX Runtime under .cache/venv"
	"$python" -m venv .cache/venv && "$ort" -m pip install -q onnxruntime onnx numpy >.cache/venv.log 2>&1 ||
		{ tail -5 .cache/venv.log; exit 1; }
fi
